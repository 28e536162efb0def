"""The functions of the platform's own SDK, under their names.

A script written for ``deepset_cloud_sdk.workflows`` moves over by changing the package in its imports:
``deepset_nb.workflows.sync_client.files`` has plain functions and generators, which also work inside a notebook,
``deepset_nb.workflows.async_client.files`` the same for ``await`` and ``async for``.
"""
