"""Run by the SDK's own interpreter: one blocking upload of a folder through a session, or one listing."""

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from deepset_cloud_sdk._service import files_service
from deepset_cloud_sdk.workflows.sync_client.files import list_files, upload
from own_process import Conversation

if __name__ == "__main__":
    conversation = Conversation()
    order = conversation.order
    version = importlib.metadata.version("deepset-cloud-sdk")
    if "list" in order:
        clock = conversation.ready()
        found = [file for page in list_files(**order["account"], batch_size=100) for file in page]
        conversation.say(clock.stop(failed=abs(len(found) - order["list"]), version=version))
        sys.exit()
    # Up to 20 files the SDK avoids the session, and with it what is compared here.
    files_service.DIRECT_UPLOAD_THRESHOLD = 0
    clock = conversation.ready()
    summary = upload([Path(order["folder"])], **order["account"], blocking=True, show_progress=False, recursive=True)
    conversation.say(clock.stop(failed=summary.failed_upload_count, version=version))
