"""A book in parts: batches of one stream, partitions over processes and machines."""

from levcore.cluster.partitions import PartitionRisks, evaluate
from levcore.cluster.stressed import StressTotals, stress

__all__ = ["PartitionRisks", "StressTotals", "evaluate", "stress"]
