"""A book in parts: batches of one stream, partitions over processes and machines."""

from levcore.cluster.changed import PartitionWhatIf, what_if
from levcore.cluster.partitions import PartitionRisks, evaluate
from levcore.cluster.stressed import StressTotals, stress

__all__ = ["PartitionRisks", "PartitionWhatIf", "StressTotals", "evaluate", "stress", "what_if"]
