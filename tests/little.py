"""A problem of 16 designs that a command solves in seconds."""

PROBLEM = """\
name: little
question: Which small array is best for keyword spotting?
workloads: [ds_cnn]
variables:
  template: {choice: [dimc, digital_ws]}
  rows: {pow2: [32, 64]}
  cols: {pow2: [32, 64]}
  sram_byte: {choice: [64 KiB, 256 KiB]}
objectives: [latency_s, carbon_pa_g]
reference_point: {latency_s: 100 ms, carbon_pa_g: 10 mg}
"""
