"""Mutation run: does a test fail when the source is changed? ``make mutants`` (CONTRIBUTING.md).

In the order of a run:

    choosing.py   which modules are mutated, and which tests are asked
    changes.py    one small change of a source text
    finding.py    where a change can be made
    operators.py  what can be changed to what
    argued.py     the changes that no test can notice, with their reasons: argued.toml
    run.py        a run: warm sessions first, cold ones for the rest
    warm.py       pytest with everything imported and collected; it forks for each change
    swapping.py   puts changed code into functions that are in memory
    coverage.py   which tests call which function
    cold.py       a fork that imports the changed source anew, for what runs at import
    children.py   forked processes, their time and their end
    report.py     what a person reads

docs/adr/0009-mutants.md says why this is not mutmut or cosmic-ray.
"""
