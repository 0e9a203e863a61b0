"""The language of a request that isn't English: German, French or Spanish, by its small words.

Everything here reads English. What is asked in another language is searched for all the same, and
it is said that little of it was read. Precision first: titles and names are foreign often.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from semrec.data.kinds import kinds
from semrec.intent.english import FOLLOWERS, NOT_A_NOUN, NOUNS, RESTRICTIONS, word_set

MAX_SMALL = 2  # small words that count: a title has many
# Words that ask, in no title's first words and no word of English …
_ASKS: Mapping[str, frozenset[str]] = {
    "German": word_set(
        "ich wir mir uns mich suche suchen mochte mochten wurde wurden brauche empfiehl"
        " empfehlen gib zeig zeige etwas ohne fur uber mit einen einem einer eines kein"
        " keine keinen aber oder bitte nicht auch gern gerne lieber wie ahnlich"
        " ahnliches ahnliche lustiger lustige lustiges lustigen spannender"
        " spannende spannendes spannenden traurige trauriger trauriges komodie komodien"
        " krimi krimis kinder jahren neunziger achtziger siebziger neunzigern achtzigern"
        " aus dem sehen schauen kannst haben heute abend gruselig romantischer"
        " romantische schoner schone guter gute gutes neuer neue neuen alte alter alten"
        " welche gibt dokumentation weltraum und weniger mehr habe hast schon gesehen traurig"
        " lustig spannend will wollen bin nichts alles jemand zwei drei jahre lachen weinen"
        " geschichte leichtes kurzer langer"
    ),
    "French": word_set(
        "je nous moi cherche cherchons voudrais voudrions veux aimerais aime besoin"
        " recommande recommandez conseille montre montrez donne donnez quelque quelques"
        " chose avec sans pour comme mais pas plus aussi drole droles triste"
        " tristes comedie comedies policier annees horreur guerre enfants amour"
        " romantique romantiques vieux nouveau recent recents regarder voir ce soir il"
        " vous plait peux pouvez avez as tu quel quelle quels quelles dessin anime"
        " effrayant moins gai leger documentaire dans sur et une des ai deja vu qui fait"
        " rire pleurer envie histoire histoires rien trop bon bons bonne bonnes court"
        " longue jai jaime jaimerais"
    ),
    "Spanish": word_set(
        "yo nosotros busco buscamos quiero queremos quisiera necesito recomienda"
        " recomiendame recomiendas muestrame dame algo alguna algun alguno para pero"
        " tambien como comedia comedias divertida divertidas"
        " divertido graciosa triste tristes terror miedo guerra ninos anos noventa"
        " ochenta setenta amor romantica romanticas vieja viejas nueva nuevas ver esta"
        " noche favor puedes tienes que cual hay gusta gustan gustaria parecida parecido"
        " parecidas menos mas animacion policiaca documental sobre sin con una unas"
        " buena buenas de los las y llorar reir mejor alegre ya visto otra otro historia"
        " historias feliz nada muy poco poca corto corta soy estoy he"
    ),
}
# … and those that titles in other languages have, and names: they only count beside such words.
_COMMON: Mapping[str, frozenset[str]] = {
    "German": word_set("der die das den des ein eine im am zum zur ist sind und von vom es"),
    "French": word_set("le la les un une du des de au aux en et est sur dans plus ce deja vu"),
    "Spanish": word_set(
        "el la los las un una del de y en es al sin con que como amor noche terror"
    ),
}
_ITEMS = {
    language: frozenset(
        word for kind in kinds().values() for word in kind.elsewhere.get(language, ())
    )
    for language in _ASKS
}
# "Film" and "films" are words of English, too.
_SMALL = {language: words | _ITEMS[language] & NOUNS for language, words in _COMMON.items()}
_ENGLISH = (
    FOLLOWERS
    | NOUNS
    | NOT_A_NOUN
    | RESTRICTIONS
    | word_set(
        "a an the of and or with without for from about like liked love loved something"
        " anything good great really best show give find looking recommend want need more less old"
        " new funny scary sad kids comedy"
    )
) - frozenset().union(word_set("me so as who in on no was a i will he"), *_ITEMS.values())
_ASKING = {
    language: (words | _ITEMS[language]) - _SMALL[language] for language, words in _ASKS.items()
}


def foreign_language(words: Set[str]) -> str:
    """The language of a text in German, French or Spanish; empty for English and all others.

    >>> foreign_language({"ich", "suche", "etwas", "lustiges", "ohne", "gewalt"})
    'German'
    >>> foreign_language({"something", "like", "la", "dolce", "vita"})
    ''

    Args:
        words: The text's, as `read_tokens` has them, without those of titles.
    """
    n_english = len(words & _ENGLISH)
    counts = {}
    for language, asking in _ASKING.items():
        n_asking = len(words & asking)
        n_small = len(words & _SMALL[language])
        n_counted = n_asking + min(n_small, MAX_SMALL)
        if n_asking and n_counted >= 2 and n_counted > 3 * n_english:
            counts[language] = n_asking + n_small
    return max(counts, key=lambda language: counts[language]) if counts else ""
