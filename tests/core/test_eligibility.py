"""Who may have a Unique Account: line types, features, prerequisites (A2 to A4)."""

from __future__ import annotations

from itertools import chain, combinations, product

import pytest
from attrs import evolve

from unique_account.core.eligibility import (
    Feature,
    LineType,
    MediaServer,
    candidate_problems,
    conversion_problems,
    feature_problems,
    prerequisite_problems,
)

UA = LineType.UNIQUE_ACCOUNT
CONVERTIBLE = {LineType.PHONE, LineType.WEBRTC, UA}
REFUSED = {Feature.PAGING, Feature.AGENT, Feature.SWITCHBOARD}
FEATURE_SETS = list(chain.from_iterable(combinations(Feature, size) for size in range(len(Feature) + 1)))

READY = MediaServer(name="default", webrtc_transport=True, certificate=True, ice=True)
READY_MDS = evolve(READY, name="mds1", proxy_path="/wssip-mds1")


class TestConversion:
    """A2: line types phone, webrtc and unique_account convert into each other; sccp and custom do not."""

    @pytest.mark.parametrize(("line", "wanted"), [*product(LineType, LineType)])
    def test_every_pair_of_types_converts_or_is_refused_with_one_sentence(
        self, line: LineType, wanted: LineType
    ) -> None:
        converts = line is wanted or (line in CONVERTIBLE and wanted in CONVERTIBLE)
        problems = conversion_problems(line, wanted)
        assert len(problems) == (0 if converts else 1)

    def test_the_sentence_names_both_types_and_the_way_out(self) -> None:
        (problem,) = conversion_problems(LineType.SCCP, UA)
        assert "type sccp cannot become one of type unique_account" in problem
        assert "give the user a new line of type unique_account" in problem

    def test_a_type_and_a_feature_are_named_at_once(self) -> None:
        assert len(conversion_problems(LineType.CUSTOM, UA, [Feature.AGENT])) == 2


class TestFeaturesOfACandidate:
    """A3: a user in paging, an agent or a switchboard user is made no Unique Account."""

    @pytest.mark.parametrize("features", FEATURE_SETS)
    def test_each_refused_feature_is_one_problem_and_each_allowed_one_is_none(
        self, features: tuple[Feature, ...]
    ) -> None:
        problems = conversion_problems(LineType.PHONE, UA, features)
        assert len(problems) == len(REFUSED.intersection(features))

    @pytest.mark.parametrize("features", FEATURE_SETS)
    @pytest.mark.parametrize("wanted", [LineType.PHONE, LineType.WEBRTC])
    def test_features_are_no_obstacle_to_the_way_back(
        self, wanted: LineType, features: tuple[Feature, ...]
    ) -> None:
        assert conversion_problems(UA, wanted, features) == ()

    @pytest.mark.parametrize(
        ("feature", "place"),
        [
            (Feature.PAGING, "a paging group"),
            (Feature.AGENT, "the contact centre's agents"),
            (Feature.SWITCHBOARD, "a switchboard"),
        ],
    )
    def test_the_sentence_names_the_place_and_the_way_out(self, feature: Feature, place: str) -> None:
        (problem,) = conversion_problems(LineType.PHONE, UA, [feature])
        assert problem.startswith(f"the user is in {place}, ")
        assert "take the user out of it first" in problem

    def test_a_feature_named_twice_is_one_problem(self) -> None:
        assert len(conversion_problems(LineType.PHONE, UA, [Feature.PAGING, Feature.PAGING])) == 1

    def test_the_problems_do_not_depend_on_the_order_of_the_features(self) -> None:
        backwards = list(reversed(Feature))
        assert conversion_problems(UA, UA, backwards) == conversion_problems(UA, UA, Feature)


class TestJoiningAFeature:
    """A3: a user who has a Unique Account joins no paging, agents or switchboard, but all the rest."""

    @pytest.mark.parametrize(("line", "feature"), [*product(LineType, Feature)])
    def test_every_pair_of_line_and_feature_is_allowed_or_refused(
        self, line: LineType, feature: Feature
    ) -> None:
        refused = line is UA and feature in REFUSED
        assert len(feature_problems(line, feature)) == (1 if refused else 0)

    def test_a_refusal_says_where_a_unique_account_does_not_work(self) -> None:
        (problem,) = feature_problems(UA, Feature.PAGING)
        assert problem.startswith("a Unique Account does not work in a paging group; ")

    @pytest.mark.parametrize("feature", sorted(REFUSED))
    def test_a_refusal_says_what_to_convert_to(self, feature: Feature) -> None:
        (problem,) = feature_problems(UA, feature)
        assert "convert the line to type phone or webrtc first" in problem

    @pytest.mark.parametrize("feature", Feature)
    def test_both_directions_agree(self, feature: Feature) -> None:
        joining = feature_problems(UA, feature)
        converting = conversion_problems(LineType.PHONE, UA, [feature])
        assert bool(joining) is bool(converting)


class TestPrerequisites:
    """A4: WebRTC transport, certificate and ICE; on a media server not the main one, an own proxy path."""

    @pytest.mark.parametrize(
        ("transport", "certificate", "ice", "name", "path"),
        [*product([True, False], [True, False], [True, False], ["default", "mds1"], ["", "/wssip-mds1"])],
    )
    def test_everything_that_lacks_is_named_at_once(
        self, transport: bool, certificate: bool, ice: bool, name: str, path: str
    ) -> None:
        server = MediaServer(
            name=name, webrtc_transport=transport, certificate=certificate, ice=ice, proxy_path=path
        )
        expected = {
            "no WebRTC transport": transport,
            "no certificate": certificate,
            "no ICE": ice,
            "no proxy path": name == "default" or path != "",
        }
        problems = prerequisite_problems(server)
        for lack, present in expected.items():
            assert any(lack in problem for problem in problems) is not present
        assert len(problems) == list(expected.values()).count(False)

    def test_each_sentence_names_the_media_server_and_what_to_do(self) -> None:
        bare = MediaServer(name="mds7", webrtc_transport=False, certificate=False, ice=False)
        problems = prerequisite_problems(bare)
        assert len(problems) == 4
        for problem in problems:
            assert problem.startswith("media server mds7 has no ")
            assert "; " in problem

    def test_a_proxy_path_that_two_servers_share_is_neithers_own(self) -> None:
        twin = evolve(READY_MDS, name="mds2")
        (problem,) = prerequisite_problems(READY_MDS, [READY, twin])
        assert "shares the proxy path /wssip-mds1 with mds2" in problem

    def test_a_path_of_the_main_server_is_not_an_own_one_either(self) -> None:
        main = evolve(READY, proxy_path=READY_MDS.proxy_path)
        (problem,) = prerequisite_problems(READY_MDS, [main])
        assert "with default" in problem

    def test_servers_without_a_path_share_none(self) -> None:
        assert prerequisite_problems(READY, [evolve(READY, name="mds1")]) == ()

    def test_a_server_among_the_others_does_not_share_with_itself(self) -> None:
        assert prerequisite_problems(READY_MDS, [READY, READY_MDS]) == ()


class TestCandidate:
    """A2 to A4: all that is in the way of a Unique Account is reported at once, before it goes live."""

    def test_a_ready_candidate_passes(self) -> None:
        assert candidate_problems(LineType.PHONE, READY_MDS, [Feature.CALL_GROUP], [READY]) == ()

    def test_a_candidate_that_is_one_already_passes(self) -> None:
        assert candidate_problems(UA, READY) == ()

    def test_line_features_and_server_are_reported_together(self) -> None:
        bare = MediaServer(name="mds1", webrtc_transport=False, certificate=False, ice=False)
        assert len(candidate_problems(LineType.SCCP, bare, Feature)) == 1 + 3 + 4

    def test_a_shared_proxy_path_is_found(self) -> None:
        twin = evolve(READY_MDS, name="mds2")
        (problem,) = candidate_problems(LineType.PHONE, READY_MDS, (), [twin])
        assert "shares the proxy path" in problem
