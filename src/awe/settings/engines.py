"""What queries may use, and what runs them, as the operator sets it: ``[limits]``, ``[files]``, ``[scale]``, ``[spark]``."""

from pydantic import BaseModel, Field

__all__ = ["FileSettings", "LimitSettings", "ScaleSettings", "SparkSettings"]


class LimitSettings(BaseModel):
    """What one query may use."""

    default_rows: int = Field(100_000, ge=0, description="Rows of an answer when the caller names no MAXREC.")
    rows: int = Field(
        20_000_000, ge=1, description="Rows of an answer at the most; more are cut, and the answer says so."
    )
    seconds: float = Field(60.0, gt=0, description="Time of a synchronous query before it is stopped.")
    queries: int = Field(
        16, ge=1, description="Synchronous queries that are answered at the same time; more wait their turn."
    )
    waiting: int = Field(
        400, ge=0, description="Synchronous queries that wait their turn; more are told to come back later."
    )
    patience: float = Field(
        30.0, gt=0, description="Seconds that a query waits its turn before it is told to come back later."
    )
    requests: int = Field(
        2000, ge=1, description="Requests in hand at the same time; more are told to come back later."
    )
    memory: str = Field("2GB", description="Memory of the SQL engine, all running queries together.")
    threads: int | None = Field(None, ge=1, description="Threads of the SQL engine; all cores when unset.")
    decoded_bytes: int = Field(
        2_000_000_000,
        ge=0,
        description="Size of the decoded rows that are kept for the next searches by position: files in the data folder, "
        "mapped into memory and shared by all processes; nothing is kept when 0.",
    )
    upload_bytes: int = Field(100_000_000, ge=0, description="Size of a request's body at the most.")
    cutout_pixels: int = Field(100_000_000, ge=1, description="Pixels of a cutout at the most.")


class ScaleSettings(BaseModel):
    """A second engine over the same files, for queries that read much."""

    engine: str = Field(
        "",
        description="The SQL engine of large queries, a name registered under awe.engines; none when empty.",
    )
    bytes: int = Field(
        50_000_000_000,
        ge=0,
        description="Queries that would read more than this of stored tables (compressed, the columns they need) go to it.",
    )


class FileSettings(BaseModel):
    """The files of tables, for programs that open catalogues in place: LSDB and other readers of HATS."""

    serve: bool = Field(True, description="Let whoever may read all rows of a table fetch its files.")
    margin_arcsec: float = Field(
        5.0,
        ge=0,
        le=30,
        description="Rows so near the border of a partition are kept beside it, too, when somebody asks for them: "
        "cross-matches over partitions need them. No such files are made when 0.",
    )


class SparkSettings(BaseModel):
    """A cluster of Apache Spark that runs queries over the same files."""

    url: str = Field(
        "",
        description="Where it is: spark://host:7077 (its master), sc://host:15002 (Spark Connect) or local[4] (threads of "
        "this machine). The data folder must be seen there under the same path.",
    )
    options: dict[str, str] = Field(
        default_factory=dict,
        description="Spark's own options, such as spark.executor.memory; as JSON in the environment.",
    )
