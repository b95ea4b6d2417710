"""Plans of faults: which connection gets which fault."""

from mirant.testing import ConnectionFault, FaultKind, faultless, once, randomly


def test_a_fault_happens_once() -> None:
    fault = ConnectionFault(FaultKind.CUT, after=3)
    plan = once(fault)

    assert [plan(number) for number in range(5, 8)] == [fault, None, None]
    assert faultless(0) is None


def test_a_random_plan_depends_on_its_seed_and_ends() -> None:
    def drawn(seed: int) -> list[ConnectionFault | None]:
        plan = randomly(seed, faults=20, reach=500)
        return [plan(number) for number in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    faults = [fault for fault in drawn(1) if fault is not None]
    assert len(faults) == 20
    assert drawn(1)[100:] == [None] * 100
    assert all(0 <= fault.after < 500 for fault in faults)
    assert {fault.kind for seed in range(20) for fault in drawn(seed) if fault} == set(FaultKind)
