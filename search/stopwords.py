"""Words that say nothing in French, Dutch or English, as forms. Without those that also mean
something in a trade or a name: son, or, art, a colour, a game."""

ELISIONS = frozenset(["c", "d", "j", "l", "m", "n", "s", "t", "qu", "jusqu", "lorsqu", "puisqu"])

_FRENCH = """a au aux avec ce ces cette chez dans de des du elle en entre est et etre eux il ils je
la le les leur leurs lui ma mes mon ne nos notre nous on ou par pas pour qui que sa se ses si sur ta
te tes toi ton tu un une vos votre vous y"""
_DUTCH = """aan bij dat deze die dit door een en er haar het hij ik in is je met naar niet of om
onze ook op over te tot uit van voor wie wij ze zij zijn"""
_ENGLISH = """about an and are as at by for from he her his i in is it my not of on our she the
their they this to we who with you your"""

# What people say around what they look for.
_ASKING = """besoin cherche cherchons iemand looking need nodig quelqu someone zoek zoeken"""

STOPWORDS = ELISIONS.union(*(text.split() for text in (_FRENCH, _DUTCH, _ENGLISH, _ASKING)))
