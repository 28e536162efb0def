"""What students answer before they are right, for each exercise in the order they might try it.

Each must be met with "Not yet", and must not stand in the way of the solution that comes after it.
"""

WRONG = {
    ("01-upload", 1): (
        "total = 12",
        "total = sum(path.stat().st_size for path in __import__('pathlib').Path('documents').iterdir())",
        "total = plan",
        "del total",
    ),
    ("01-upload", 2): (
        "Path('my-planet.txt').write_text('Mars.')",
        "ws.upload('my-planet.txt').wait()",
        "my_id = job.receipt['file_id'][0]",
        "my_id = job.receipt",
    ),
    ("02-sessions", 1): (
        "hours = sessions['expires_at'][0] - sessions['created_at'][0]",
        "hours = 86400",
        "hours = 1",
        "hours = sessions",
    ),
    ("02-sessions", 2): ("train.close_upload_session(job.receipt['session_id'][0])",),
    ("03-metadata-and-names", 1): (
        "ws.upload('documents/', include='summer-sky.md', meta={'checked': True}, write_mode='OVERWRITE').wait()",
        "ws.upload('documents/', include='*sky.md', meta={'checked': True}).wait()",
        "ws.upload('documents/', include='*sky.md', meta={'checked': 'yes'}, write_mode='OVERWRITE', resume=False).wait()",
        "ws.upload_texts([dn.DeepsetCloudFile('x', name, {'checked': True})"
        " for name in ('summer-sky.md', 'winter-sky.md')], write_mode='OVERWRITE').wait()",
    ),
    ("03-metadata-and-names", 2): (
        "ws.upload('evenings/', recursive=True).wait()",
        "ws.upload('evenings/2026/').wait()",
    ),
    ("04-files-as-data", 1): (
        "for_beginners = 'beginner'",
        "for_beginners = ws.list_files()",
        "for_beginners = ws.list_files(odata_filter=\"level eq 'beginner'\").head(1)",
    ),
    ("04-files-as-data", 2): (
        "moons = 285",
        "ws.download('desk/', name='planets.csv').wait()",
        "moons = 8",
        "moons = pd.read_csv('desk/planets.csv')",
    ),
    ("05-when-things-go-wrong", 1): (
        "(faulty / 'empty.txt').write_text('Venus.')",
        "ws.upload('faulty/moon.txt').wait()",
    ),
    ("05-when-things-go-wrong", 2): (
        "lost = 3",
        "lost = bad_day.failed",
        "lost = bad_day.receipt['name'].tolist()",
        "lost = bad_day.failed['name'].tolist()",
    ),
}
