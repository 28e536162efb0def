"""The Python side of each widget, and the static forms that a saved notebook shows instead.

    show            shows a job where it was started, live or as plain output
    job_panel       one upload: phases, failures, Cancel, Retry
    uploader        files from the reader's own computer, through the browser, to a job
    session_browser the workspace's upload sessions
    file_browser    the workspace's files
    listing         rows of a remote listing by their position, as the two browsers ask for them
    dashboard       all of them as tabs
    ahead           imports them in a notebook before the first is asked for
    messages        every message and state that crosses to the browser; js/src/lib/messages.ts is the other half

User interface lives in JavaScript, state in traits, events and bytes in messages. Import the modules, not this
package: it stays empty so that nothing heavy is loaded before a widget is wanted.
"""
