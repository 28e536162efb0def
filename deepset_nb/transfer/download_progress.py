"""What a panel shows of a download."""

from __future__ import annotations

from .progress import Progress, Target
from .receipt import Row


class DownloadProgress(Progress):
    """The same picture as an upload's, in the words of a download."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self.kind = "download"
        del self.phases["ingesting"]
        self.phases["planning"]["label"] = "Listing"
        self.phases["sending"]["label"] = "Fetching"

    def shown(self, row: Row) -> str:
        """By its name on the platform: it is not on disk, and a saved notebook need not tell where it would be."""
        return row.name

    def headline(self) -> str:
        """One line that is never better than the receipt."""
        counts, total = self.receipt.counts(), len(self.receipt.rows)
        files = "file" if total == 1 else "files"
        were = "was" if counts["skipped"] == 1 else "were"
        there = f", {counts['skipped']:,} {were} there already" if counts["skipped"] else ""
        match self.status:
            case "done":
                return f"{counts['ok']:,} of {total:,} {files} fetched{there}" if total else "There is nothing to fetch"
            case "failed" if total:
                return f"{total - counts['ok'] - counts['skipped']:,} of {total:,} {files} could not be fetched{there}"
            case "failed":
                return "Nothing was fetched"
            case "cancelled":
                return f"Cancelled: {counts['ok']:,} of {total:,} {files} fetched{there}"
            case "cancelling":
                return "Cancelling"
        if self.phases["sending"]["state"] == "waiting":
            return f"Listing: {total:,} {files} found" if total else "Listing"
        return f"Fetching {counts['ok']:,} of {total - counts['skipped']:,} {files}"

    def stalled_words(self) -> str:
        """What is waited for when nothing changes, and until when."""
        if self.phases["planning"]["state"] == "active":
            return "The platform is still being asked which files there are; each request is given up after a minute."
        return "The network brings no bytes. A connection is given up after a minute of silence, and then tried again."
