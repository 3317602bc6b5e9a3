"""The rule book: a test proves every rule, and cites no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.rule_book import (
    CONTRACTS,
    PAGE,
    TESTS,
    Proof,
    Rule,
    cited,
    proofs,
    rules,
    strangers,
    unproved,
    with_proofs,
)
from tests.paths import ROOT

STATED = rules(PAGE.read_text("utf-8"))
FOUND = proofs(TESTS, CONTRACTS)
SOURCES = sorted((ROOT / "src").rglob("*.py"))
GROUPS = {"M": 5, "S": 7, "R": 17, "P": 6, "H": 7, "V": 2, "C": 2, "A": 5}


class TestTheRuleBook:
    """The page, the tests and the code speak of the same rules."""

    def test_the_groups_are_whole_and_in_order(self) -> None:
        numbered = [f"{group}{number}" for group, last in GROUPS.items() for number in range(1, last + 1)]
        assert [rule.id for rule in STATED] == ["M", *numbered]

    def test_every_rule_is_proved(self) -> None:
        assert unproved(STATED, FOUND) == ()

    def test_no_test_proves_what_is_no_rule(self) -> None:
        assert strangers(STATED, FOUND) == ()

    @pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
    def test_the_code_cites_rules_of_the_page(self, source: Path) -> None:
        cites = set(re.findall(r"\b[MSRPHVCA][1-9][0-9]?\b", source.read_text("utf-8")))
        assert cites <= {rule.id for rule in STATED}


class TestCollecting:
    """What a docstring cites, and what is a proof."""

    @pytest.mark.parametrize(
        ("docstring", "ids"),
        [
            ("R4: at once.", ("R4",)),
            ("S5, S7: both.", ("S5", "S7")),
            ("R1 to R4: each.", ("R1", "R2", "R3", "R4")),
            ("R1 to R3, R12 and R13: each.", ("R1", "R2", "R3", "R12", "R13")),
            ("M: the table.", ("M",)),
            ("What R4: says.", ()),
            ("R4 says so.", ()),
            ("", ()),
            (None, ()),
        ],
    )
    def test_a_docstring_cites_what_it_begins_with(self, docstring: str | None, ids: tuple[str, ...]) -> None:
        assert cited(docstring) == ids

    def test_classes_and_single_tests_are_proofs(self, tmp_path: Path) -> None:
        module = tmp_path / "test_it.py"
        module.write_text(
            'class TestOne:\n    """R1: one."""\n    def test_two(self):\n        """R2: two."""\n'
            'def test_three():\n    """R3: three."""\n'
            'class TestInherited(Base):\n    """R4: four."""\n'
        )
        found = proofs(tmp_path)
        assert [(proof.name, proof.rules) for proof in found] == [
            ("TestOne", ("R1",)),
            ("TestOne.test_two", ("R2",)),
            ("test_three", ("R3",)),
            ("TestInherited", ("R4",)),
        ]

    def test_a_contract_proves_what_its_tests_cite_in_brackets(self, tmp_path: Path) -> None:
        module = tmp_path / "contract.py"
        module.write_text(
            "class StoreContract(Base):\n"
            '    async def test_one(self):\n        """It holds (R1, S2), come what may."""\n'
            '    def test_two(self):\n        """So does this (R1)."""\n'
            '    def helper(self):\n        """No test (R3)."""\n'
        )
        assert proofs(tmp_path) == (Proof(module.as_posix(), "StoreContract", ("R1", "S2")),)

    def test_what_holds_no_test_proves_nothing(self, tmp_path: Path) -> None:
        module = tmp_path / "test_it.py"
        module.write_text('class TestEmpty:\n    """R1: one."""\ndef helper():\n    """R2: two."""\n')
        assert proofs(tmp_path) == ()


class TestFindings:
    """What is wrong between a rule book and its proofs is found."""

    PROOF = Proof("tests/test_it.py", "TestIt", ("R1", "R9"))

    def stated(self, *items: str) -> tuple[Rule, ...]:
        return rules("\n".join(f"- {item}" for item in items))

    def test_a_rule_without_a_test(self) -> None:
        stated = self.stated("**R1** Proved.", "**R2** Not proved.")
        assert unproved(stated, [self.PROOF]) == ("R2",)

    def test_a_proof_of_no_rule(self) -> None:
        assert strangers(self.stated("**R1** Proved."), [self.PROOF]) == (
            "tests/test_it.py: TestIt cites R9",
        )

    def test_a_rule_ends_where_the_next_begins(self) -> None:
        first, second = self.stated("**R1** One,\n  on two lines.\n", "**R2** Two.\n\nNo part of it.")
        assert (first.text, second.text) == ("One,\n  on two lines.", "Two.")

    def test_proofs_are_listed_under_their_rule(self) -> None:
        page = with_proofs("# Rules\n\n- **R1** One.\n- **R2** Two.\n\nThe end.\n", [self.PROOF])
        assert "Proved by `TestIt` in `tests/test_it.py`." in page.partition("{#R2")[0]
        assert page.startswith("# Rules\n\n- [**R1**]{#R1 .rule} One.\n")
        assert page.endswith("- [**R2**]{#R2 .rule} Two.\n\nThe end.\n")
