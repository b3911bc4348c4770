"""The explorer page: what a published set says, in one file that opens from disk.

``write_explorer`` reads the published marts, ``payload`` makes the bounded figures of
the page from them, ``page`` puts figures, style, scripts and Plotly.js into one file,
``static_charts`` draws the main charts as pictures.
"""

from segmentation.explorer.static_charts import charts_of
from segmentation.explorer.writing import EXPLORER, is_due, write_explorer

__all__ = ["EXPLORER", "charts_of", "is_due", "write_explorer"]
