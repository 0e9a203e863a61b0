from dataclasses import replace

import numpy as np
import pytest
from conftest import GROUP, N_ITEMS, THEMES, group, item_id, theme

import semrec
from semrec import Event, Query, QueryError


def ids(found):
    return [item.item_id for item in found.items]


def rows(found):
    return [int(item.item_id[1:]) for item in found.items]


def answers(case_group, case_theme, session):
    cell = [r for r in range(N_ITEMS) if group(r) == case_group and r % 6 == case_theme]
    return {item_id(r) for r in cell} - set(session)


def both_cases():
    """Sessions in one group, words of one theme; the answer is the cell's remaining items."""
    cases = []
    for g in range(6):
        for t in range(6):
            session = [item_id(r) for r in range(g * GROUP, (g + 1) * GROUP) if r % 6 != t][:3]
            cases.append((session, THEMES[t], answers(g, t, session)))
    return cases


def hits(rec, weight, k=2):
    found = 0
    for session, words, right in both_cases():
        top = ids(rec.recommend(intent=words, session=session, k=k, semantic_weight=weight))
        found += len(right & set(top)) > 0
    return found


def test_where_both_signals_are_needed_fusion_beats_either(rec):
    fused, semantic, behavioural = hits(rec, 0.5), hits(rec, 1.0), hits(rec, 0.0)
    assert fused == 36
    assert semantic < fused
    assert behavioural < fused


def test_words_alone_find_their_theme(rec):
    found = rec.recommend(intent="ghost", k=5)
    assert {theme(r) for r in rows(found)} == {"ghost"}


def test_a_session_alone_finds_its_group(rec):
    found = rec.recommend(session=["i30", "i31", "i32"], k=5, semantic_weight=0)
    assert {group(r) for r in rows(found)} == {3}


def test_semantic_weight_0_is_the_baseline_exactly(rec):
    for session, words, _ in both_cases():
        query = Query(intent=words, session=session, semantic_weight=0.0, k=20)
        ours, base = rec.recommend(query), rec.baseline().recommend(replace(query, intent="other"))
        assert ids(ours) == ids(base)
        assert [i.score for i in ours.items] == [i.score for i in base.items]


def test_semantic_weight_shares_the_rest_as_the_baseline_does(rec):
    base = rec.recommend(session=["i30"], semantic_weight=0).trace.weights
    half = rec.recommend(session=["i30"], intent="court", semantic_weight=0.5).trace.weights
    assert half["semantic"] == 0.5
    assert half["behavioural"] == pytest.approx(base["behavioural"] / 2)
    assert half["popularity"] == pytest.approx(base["popularity"] / 2)


def test_many_answers_as_one_by_one(rec):
    queries = [Query(intent=w, session=s, k=5) for s, w, _ in both_cases()]
    queries += [Query(), Query(intent="court", semantic_weight=0), Query(session=["i01"], k=3)]
    queries += [Query(intent="court", filters={"year": {"lt": 1970}}), Query(exclude=["i00"])]
    for many, query in zip(rec.recommend_many(queries), queries, strict=True):
        one = rec.recommend(query)
        assert ids(many) == ids(one)
        np.testing.assert_allclose(
            [i.score for i in many.items], [i.score for i in one.items], rtol=1e-4, atol=1e-5
        )


def test_no_queries_no_answers(rec):
    assert rec.recommend_many([]) == []


def test_without_any_signal_the_most_popular_come_and_the_trace_says_so(rec):
    found = rec.recommend(k=5)
    counts = rec.interactions.counts
    assert [counts[r] for r in rows(found)] == sorted(counts, reverse=True)[:5]
    assert found.trace.weights["popularity"] == 1.0
    assert any("most popular" in note for note in found.trace.notes)


def test_whitespace_is_no_intent(rec):
    assert ids(rec.recommend(intent=" \n\t ")) == ids(rec.recommend())


def test_session_and_exclude_never_come_back(rec):
    found = rec.recommend(session=["i30", "i31"], exclude=["i32"], intent="ghost", k=60)
    assert not {"i30", "i31", "i32"} & set(ids(found))
    assert len(found.items) == 57


def test_ranks_count_from_1_and_scores_fall(rec):
    found = rec.recommend(intent="ghost", session=["i01"])
    assert [item.rank for item in found.items] == list(range(1, 11))
    scores = [item.score for item in found.items]
    assert scores == sorted(scores, reverse=True)


def test_a_rejected_item_is_excluded_and_does_not_attract(rec):
    plain = ids(rec.recommend(session=["i30"], k=60))
    found = ids(rec.recommend(session=[Event("i30"), Event("i00", "reject")], k=60))
    assert "i00" in plain
    assert found == [one for one in plain if one != "i00"]
    only = rec.recommend(session=[Event("i00", "reject")], k=5)
    assert only.trace.weights["popularity"] == 1.0


def test_an_item_viewed_and_later_rejected_does_not_attract(rec):
    found = rec.recommend(session=[Event("i30"), Event("i30", "reject")], k=5)
    assert found.trace.weights["popularity"] == 1.0
    assert "i30" not in ids(found)


def test_what_a_known_user_rejects_now_no_longer_attracts(rec):
    history = [item_id(r) for r in rec.interactions.history("u5")]
    found = rec.recommend(user_id="u5", session=[Event(history[-1], "reject")], k=60)
    same = rec.recommend(session=history[:-1], exclude=[history[-1]], k=60)
    assert ids(found) == ids(same)


def test_unknown_ids_are_skipped_and_noted(rec):
    found = rec.recommend(session=["nope", "i30"], semantic_weight=0.3)
    assert ids(found) == ids(rec.recommend(session=["i30"], semantic_weight=0.3))
    assert any("nope" in note for note in found.trace.notes)


def test_a_known_user_brings_their_history(rec):
    history = [item_id(r) for r in rec.interactions.history("u5")]
    known, same = rec.recommend(user_id="u5"), rec.recommend(session=history)
    assert ids(known) == ids(same)
    assert not set(history) & set(ids(known))


def test_an_unknown_user_is_ignored_and_noted(rec):
    found = rec.recommend(user_id="nobody", intent="ghost")
    assert ids(found) == ids(rec.recommend(intent="ghost"))
    assert any("nobody" in note for note in found.trace.notes)


@pytest.mark.parametrize(
    ("filters", "permitted"),
    [
        ({"year": {"gte": 2000, "lt": 2010}}, lambda r: 40 <= r < 50),
        ({"labels": {"any": ["GHOST"], "none": ["odd"]}}, lambda r: r % 6 == 5 and r % 2 == 0),
        ({"labels": {"all": ["space", "even"]}}, lambda r: r % 6 == 0),
        ({"labels": "court"}, lambda r: r % 6 == 4),
        ({"language": "fr", "year": 1963}, lambda r: r == 3),
        ({"language": {"none": ["fr"]}}, lambda r: r % 3 != 0),
        ({"year": {"any": [1960, 1961]}}, lambda r: r < 2),
    ],
)
def test_filters_are_exact_however_selective(rec, filters, permitted):
    want = {item_id(r) for r in range(N_ITEMS) if permitted(r)}
    found = rec.recommend(intent="space", filters=filters, k=60)
    assert set(ids(found)) == want
    based = rec.baseline().recommend(filters=filters, k=60)
    assert set(ids(based)) <= want


def test_filters_that_nothing_satisfies_give_an_empty_list_and_a_note(rec):
    found = rec.recommend(intent="space", filters={"year": {"gt": 3000}})
    assert found.items == ()
    assert "nothing satisfies year > 3000; without year > 3000 there would be 60" in (
        found.trace.notes
    )


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"yaer": 1990}, "did you mean 'year'"),
        ({"year": {"gtee": 1990}}, "did you mean 'gte'"),
        ({"year": "old"}, "expected a number"),
        ({"labels": {"any": "Comedy"}}, "takes a list"),
        ({"labels": {"any": [3]}}, "expected text"),
    ],
)
def test_malformed_filters_are_refused(rec, filters, message):
    with pytest.raises(QueryError, match=message):
        rec.recommend(filters=filters)


def test_a_request_by_keywords_by_mapping_or_as_query(rec):
    one = rec.recommend(intent="ghost", k=3)
    assert ids(one) == ids(rec.recommend({"intent": "ghost", "k": 3}))
    assert ids(one) == ids(rec.recommend(Query(intent="ghost", k=3)))


@pytest.mark.parametrize("intent", ["🎬🍿", "侍の映画", "a" * 100_000, "{{ 7 * 7 }}", "\ud800"])
def test_any_words_get_an_answer(rec, intent):
    assert len(rec.recommend(intent=intent, k=5).items) == 5


def test_the_trace_names_stages_and_weights(rec):
    trace = rec.recommend(intent="ghost", session=["i01"]).trace
    stages = {
        "understand",
        "resolve",
        "encode",
        "match",
        "fuse",
        "search",
        "rank",
        "items",
        "total",
    }
    assert stages == set(trace.timings_ms)
    signals = ("semantic", "behavioural", "popularity", "domain")
    assert sum(trace.weights[n] for n in signals) == pytest.approx(1)
    assert trace.evidence["content_words"] == 1
    assert trace.evidence["session_length"] == 1
    assert "topic" in trace.reason
    assert trace.rerank.status == "off"
    assert trace.version == rec.version != ""


def test_reranking_that_is_asked_for_and_not_there_is_said(rec):
    trace = rec.recommend(intent="ghost", rerank=True).trace
    assert trace.degraded
    assert any("no reranker" in note for note in trace.notes)
    assert not rec.recommend(intent="ghost", rerank=False).trace.degraded


def test_to_frame(rec):
    frame = rec.recommend(intent="ghost", k=3).to_frame()
    assert list(frame.columns) == ["rank", "item_id", "title", "score", "explanation"]
    assert len(frame) == 3


def test_an_item_without_events_is_found_by_words_and_not_by_the_baseline(world, tmp_path):
    from conftest import world_config

    cold = np.flatnonzero(np.arange(N_ITEMS) % 20 == 5)
    keep = ~np.isin(world.interactions.rows, cold)
    rec = semrec.build(
        replace(world, interactions=world.interactions.where(keep)), config=world_config()
    )
    assert rec.manifest["counts"]["cold_items"] == len(cold)
    wanted = {item_id(r) for r in cold}
    found = rec.recommend(intent=f"{theme(5)} story number5", k=3, semantic_weight=0.8)
    assert "i05" in ids(found)
    assert not wanted & set(ids(rec.baseline().recommend(k=60)))
    assert len(rec.baseline().recommend(k=60).items) == N_ITEMS - len(cold)


def test_seen_items_come_back_where_they_may(rec):
    session = [item_id(row) for row in (1, 2, 3)]
    want = {"session": session, "k": 60}
    assert not set(session) & set(ids(rec.recommend(want)))
    for answering in (rec, rec.baseline()):
        found = set(ids(answering.recommend(**want, include_seen=True)))
        assert set(session) <= found
    liked = rec.recommend(user_id="u0", k=60, include_seen=True)
    history = {rec.catalog.item_ids[row] for row in rec.interactions.history("u0")}
    assert history <= set(ids(liked))
    rejected = [*session, {"item_id": session[0], "type": "reject"}]
    assert session[0] not in ids(rec.recommend(session=rejected, k=60, include_seen=True))
    named = rec.recommend('like "heist heist story number1"', k=60, include_seen=True)
    assert named.trace.understood["session"] == ["i01"]
    assert "i01" not in ids(named)


def test_an_unknown_label_is_noted_and_a_known_one_is_not(rec):
    notes = rec.recommend(filters={"labels": {"none": ["hiest", "GHOST"]}}).trace.notes
    assert notes == ("filter 'labels': no item has 'hiest'; did you mean 'heist'?", *notes[1:])
    assert not any("GHOST" in note for note in notes)
    assert any("'xx'" in note for note in rec.recommend(filters={"language": "xx"}).trace.notes)


def test_a_recommender_is_shown_in_a_line(rec):
    assert repr(rec) == f"Recommender(60 items, 180 users, hashing-64, version {rec.version})"
    assert repr(rec.baseline()).startswith("Recommender(60 items, 180 users, no encoder")


def test_a_single_query_is_no_sequence_of_them(rec):
    for single in ("words", {"intent": "words"}, semrec.Query(), 3):
        with pytest.raises(QueryError, match="expected a sequence"):
            rec.recommend_many(single)


@pytest.mark.parametrize("digits", [400, 5_000])
def test_a_number_of_hundreds_of_digits_is_refused(rec, digits):
    huge = -(10**digits)
    for filters in ({"year": huge}, {"year": {"gte": huge}}, {"year": {"any": [huge]}}):
        with pytest.raises(QueryError, match="'year': found a number of"):
            rec.recommend(filters=filters)
