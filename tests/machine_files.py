"""A small machine as its file says it: three array dimensions, a bypass, shared ports."""

from __future__ import annotations

SERVES = {"serves": ["cols", "rows", "banks"]}
SMALL = {
    "machine": "small",
    "clock": "500 MHz",
    "array": {
        "dimensions": {"cols": 8, "rows": 4, "banks": 2},
        "unrolled": {"cols": ["K"], "rows": ["C", "FX"]},
        "systolic": ["rows"],
        "mac_energy": "200 fJ",
        "mac_area": "500 um2",
    },
    "memories": {
        "weights": {
            "size": "16 byte",
            "read_energy": "0.1 pJ",
            "write_energy": "0 pJ",
            "area": "100 um2",
            "ports": {"rw": {"width": "8 bit", "moves": {"W": "all"}}},
        },
        "buffer": {
            **SERVES,
            "size": "64 KiB",
            "read_energy": "10 pJ",
            "write_energy": "12 pJ",
            "area": "0.1 mm2",
            "double_buffered": True,
            "ports": {
                "in": {"kind": "write", "width": "64 bit", "least": "2 byte",
                       "moves": {"I": ["from_above"], "O": ["from_above", "from_below"]}},
                "out": {"kind": "read", "width": "64 bit",
                        "moves": {"I": ["to_below"], "O": ["to_above", "to_below"]}},
            },
        },
        "dram": {
            **SERVES,
            "size": "1 GiB",
            "read_energy": "4 pJ/bit",
            "write_energy": "5 pJ/bit",
            "ports": {"bus": {"width": "4 GB/s", "moves": dict.fromkeys("IWO", "all")}},
        },
    },
}  # fmt: skip
