"""What a command says about a run: keys for machines, lines for people."""

from __future__ import annotations

from typing import Any

import numpy as np

from demo_workers.records.run import Run
from demo_workers.stack.calibration import Calibration


def facts(run: Run, calibration: Calibration | None = None) -> dict[str, Any]:
    """The keys of ``--json``; those that do not apply are None."""
    served = run.executions["finished_s"] - run.executions["started_s"]
    served = served[~np.isnan(served)]
    return {
        "source": run.source,
        "run": str(run.directory) if run.directory else None,
        "valid": run.valid,
        "ended_by": run.ended_by or None,
        **run.measures.to_dict(),
        "depth_seen": int(np.max(run.attempts["depth_seen"], initial=0)),
        "executed_service_time_s": float(served.mean()) if len(served) else None,
        "overhead_s": calibration.overhead_s if calibration else None,
        "overhead_before_s": calibration.overhead_before_s if calibration else None,
        "overhead_after_s": calibration.overhead_after_s if calibration else None,
        "ledger": run.ledger.counts,
        "invariants": run.ledger.invariants,
        "notes": [*run.notes, *([run.invalid] if run.invalid else [])],
    }


def lines(run: Run, calibration: Calibration | None = None) -> str:
    """The same for people."""
    found = facts(run, calibration)
    width = max(map(len, found))
    shown = [
        f"{name:<{width}}  {value:.4g}" if isinstance(value, float) else f"{name:<{width}}  {value}"
        for name, value in found.items()
        if value is not None and name not in ("ledger", "invariants", "notes")
    ]
    return "\n".join([*shown, *(f"note: {note}" for note in found["notes"]), "", run.ledger.table()])
