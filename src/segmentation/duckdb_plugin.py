"""What the connection of dbt-duckdb has beyond DuckDB: text in Windows-1252."""

import gzip
import io

from dbt.adapters.duckdb.plugins import BasePlugin

# The text is held several times over while it is taken apart into lines: 200 MB took
# 1.2 GB of memory, so a file of this size may take 6 GB.
MAXIMUM_TEXT_BYTES = 1_000_000_000
GZIP = b"\x1f\x8b"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def decode_text(content: bytes) -> str:
    """Return the text of a file in Windows-1252 (cp1252), which may be gzipped.

    DuckDB's own Latin-1 has no 0x80 to 0x9F, where Windows keeps the euro sign and
    the curly quotes. The five bytes that mean nothing there stay visible, as
    ``\\x81``.

    Parameters
    ----------
    content
        The bytes of the file.

    Raises
    ------
    ValueError
        If the text has more than 1,000,000,000 bytes, or is in UTF-16.

    Examples
    --------
    >>> decode_text(b"5 \\x80 \\x81")
    '5 € \\\\x81'

    """
    if content.startswith(GZIP):
        with gzip.open(io.BytesIO(content)) as stream:
            content = stream.read(MAXIMUM_TEXT_BYTES + 1)
    if content.startswith(UTF_16):
        raise ValueError("the file is in UTF-16: save it as UTF-8")
    if len(content) > MAXIMUM_TEXT_BYTES:
        raise ValueError(
            f"a file that is not UTF-8 may have {MAXIMUM_TEXT_BYTES:,} bytes of text "
            "at most, because it is held in memory: convert it to UTF-8 first, as by "
            "iconv -f CP1252 -t UTF-8"
        )
    return content.decode("cp1252", errors="backslashreplace")


class Plugin(BasePlugin):
    """Register the functions; profiles.yml names this module."""

    def configure_connection(self, conn):
        """Add ``decode_text(blob) -> varchar`` to the connection."""
        conn.create_function("decode_text", decode_text, ["BLOB"], "VARCHAR")
