"""How RocksDB is set up: bounded memory, few files, one cache for all databases of a peer."""

from __future__ import annotations

from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options

_MIB = 1 << 20
_DEFAULT_CACHE = 16 * _MIB
LARGE_VALUE = _MIB
"""Values from here on, in bytes, get files of their own and do not stay in write buffers."""


class BlockCache:
    """Memory for blocks read from disk, in bytes; share one between all databases."""

    def __init__(self, capacity: int = _DEFAULT_CACHE) -> None:
        self.handle = Cache(capacity)


def database_options() -> Options:
    """Options of a database as a whole."""
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_max_background_jobs(2)
    options.set_max_open_files(512)
    # A family that is written rarely would otherwise keep every log since its last flush.
    options.set_max_total_wal_size(64 * _MIB)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(_MIB)
    options.set_stats_dump_period_sec(0)
    return options


def family_options(*, write_buffer: int, cache: BlockCache) -> Options:
    """Options of one column family; *write_buffer* in bytes, at most three are in memory."""
    options = Options(raw_mode=True)
    options.set_write_buffer_size(write_buffer)
    options.set_max_write_buffer_number(3)
    options.set_target_file_size_base(32 * _MIB)
    options.set_compression_type(DBCompressionType.lz4())
    # Writes hold Python's interpreter lock, so they are slowed down late: a stalled write would
    # stop the whole peer, a deeper first level only costs reads.
    options.set_level_zero_slowdown_writes_trigger(40)
    options.set_level_zero_stop_writes_trigger(60)
    options.set_block_based_table_factory(_table_options(cache))
    # In tables, every compaction would have the large values of all its files in memory at once.
    options.set_enable_blob_files(True)
    options.set_min_blob_size(LARGE_VALUE)
    options.set_blob_compression_type(DBCompressionType.lz4())
    options.set_enable_blob_gc(True)
    return options


def _table_options(cache: BlockCache) -> BlockBasedOptions:
    table = BlockBasedOptions()
    table.set_block_cache(cache.handle)
    table.set_block_size(16 * 1024)
    table.set_bloom_filter(10, False)
    # Indexes and filters count against the cache, or memory would grow with the data.
    table.set_cache_index_and_filter_blocks(True)
    table.set_pin_l0_filter_and_index_blocks_in_cache(True)
    return table
