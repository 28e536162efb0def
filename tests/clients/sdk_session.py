"""Run by the SDK's own interpreter: one step with its functions, the outcome as one line of JSON."""

import asyncio
import importlib
import inspect
import json
import sys
from pathlib import Path

from deepset_cloud_sdk.models import DeepsetCloudFile, DeepsetCloudFileBytes


class Functions:
    """The SDK's functions, plain or awaited, all looking plain."""

    def __init__(self, kind, arguments):
        self.module = importlib.import_module(f"deepset_cloud_sdk.workflows.{kind}_client.files")
        self.arguments = arguments

    def __getattr__(self, name):
        def call(*args, **kwargs):
            result = getattr(self.module, name)(*args, **kwargs, **self.arguments)
            if inspect.isasyncgen(result):
                return asyncio.run(collect(result))
            if inspect.iscoroutine(result):
                return asyncio.run(result)
            return list(result) if inspect.isgenerator(result) else result

        return call


async def collect(pages):
    return [page async for page in pages]


def counts(summary):
    return [summary.total_files, summary.successful_upload_count, summary.failed_upload_count]


def rows(pages):
    return [[{"name": file.name, "size": file.size, "meta": file.meta} for file in page] for page in pages]


def upload_folder(sdk, folder):
    return counts(sdk.upload([folder], show_progress=False))


def tour(sdk, folder):
    """Everything else, in one process: starting one takes a second."""
    found = {}
    few = [folder / f"few-{number}.txt" for number in range(5)]
    for path in few:
        path.write_text(path.name)
    found["paths"] = counts(sdk.upload(few, show_progress=False))
    texts = [DeepsetCloudFile(f"Grüße {n}", f"text-{n}.txt", {"kind": "text", "n": n}) for n in range(3)]
    found["texts"] = counts(sdk.upload_texts(texts, show_progress=False))
    found["bytes"] = counts(
        sdk.upload_bytes([DeepsetCloudFileBytes(bytes(range(256)), "all.bin", {"kind": "bytes"})], show_progress=False)
    )
    many = [DeepsetCloudFile(f"many {n}", f"many-{n:02}.txt", {"kind": "many"}) for n in range(25)]
    found["many"] = counts(sdk.upload_texts(many, show_progress=False))
    found["by name"] = rows(sdk.list_files(name="text-", batch_size=2))
    found["by filter"] = rows(sdk.list_files(odata_filter="kind eq 'many'", batch_size=10))
    sessions = [session for page in sdk.list_upload_sessions(batch_size=1) for session in page]
    found["sessions"] = [[session.status.value, session.write_mode.value] for session in sessions]
    status = sdk.get_upload_session(sessions[0].session_id).ingestion_status
    found["status"] = [status.finished_files, status.failed_files]
    sdk.download(file_dir=folder / "got", show_progress=False)
    return found


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    functions = Functions(order["kind"], order["arguments"])
    outcome = {"upload_folder": upload_folder, "tour": tour}[order["step"]](functions, Path(order["folder"]))
    print(json.dumps(outcome))
