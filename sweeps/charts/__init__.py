"""Charts in two steps: `build_*_info(records) -> Info` (what to draw), `*_figure(info) -> dict`.

A figure is a plain Plotly figure dict whose colours are tokens ("@best", "@ramp-0.73"), which the
browser resolves from the theme when it draws. Import the builders from their modules.
"""
