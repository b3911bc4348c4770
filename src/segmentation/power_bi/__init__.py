"""The Power BI project: a semantic model over the exported marts, as text."""
