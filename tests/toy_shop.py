"""A run with a snapshot of many like customers, for what reads or rehearses a service."""

from datetime import date
from pathlib import Path

import pandas as pd
from toy_snapshot import AS_OF, ITEM, OFFER, PROFILE

from mkt_models.columns import Model
from mkt_models.store.records import Consent, SnapshotMeta
from mkt_models.store.snapshot import Store
from mkt_models.workspace import Workspace

DAY = date(2017, 1, 1)


def leave(ws: Workspace, n: int) -> None:
    """Write the profiles and the snapshot of ``n`` customers who said yes to the app and email."""
    names = [f"c{number:03d}" for number in range(n)]
    bands = [("19-24", "25-34")[number % 2] for number in range(n)]
    people = pd.DataFrame({"customer_id": names, "age_band": bands, "income_band": None})
    ws.write_table("profile", "profiles", people)
    documents = [
        {
            "customer_id": name,
            "as_of": AS_OF,
            "profile": {**PROFILE, "customer_id": name, "as_of": AS_OF},
            "scores": {},
            "recommendations": [ITEM],
            "offers": [OFFER],
        }
        for name in names
    ]
    consents = [
        Consent(name, "marketing", channel, "granted", DAY)
        for name in names
        for channel in ("app", "email")
    ]
    meta = SnapshotMeta(
        as_of=AS_OF, verdicts=dict.fromkeys((*Model, "terms"), "pass"), popular_items=(ITEM,)
    )
    path: Path = ws.folder("decisions") / "snapshot.sqlite"
    Store.write_snapshot(path, meta, documents, consents, [])
