"""A book in parts: batches of one stream, partitions over processes and machines."""

from levcore.cluster.partitions import PartitionRisks, evaluate

__all__ = ["PartitionRisks", "evaluate"]
