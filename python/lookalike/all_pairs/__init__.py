"""All pairs as files: the matrix of distances, and the graph of nearest neighbours."""

from lookalike.all_pairs.graph import neighbor_graph
from lookalike.all_pairs.graph_files import write_graph
from lookalike.all_pairs.matrix import write_distances, write_table
from lookalike.all_pairs.room import BLOCK_ROWS

__all__ = ["BLOCK_ROWS", "neighbor_graph", "write_distances", "write_graph", "write_table"]
