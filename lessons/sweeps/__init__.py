"""Many scenarios in the twin at once, as RQ jobs on workers of the workbook's own: ``lessons.sweeps.sweep.sweep``.

``plan`` cuts a sweep into pieces and puts the answers together, ``job`` is what a worker does, ``engine`` has the twin
compiled once, ``orders`` speaks to RQ, ``room`` has a Redis server and workers, ``sweep`` leads them all. Nothing is
imported here: a worker needs the job alone.
"""
