"""Customer segmentation: the numeric package behind the dbt project."""

# dbt runs Python models in threads. Two threads that both begin to import
# scikit-learn may see it half made (a circular import within it); the lock on this
# package's own import lets one thread do it before any other goes on.
import sklearn.cluster
import sklearn.decomposition
import sklearn.ensemble
import sklearn.linear_model
import sklearn.metrics
import sklearn.tree  # noqa: F401
