"""What people say instead of the words of the nomenclature: the activity, a short form."""

from collections.abc import Iterable

from search import normaliser

_TABLE = """
accordeur: accordage, accord
accompagnateur: accompagnement
acteur: théâtre, jeu
adaptateur: sous-titreur, sous-titrage
animateur: animation
apiculteur: apiculture, miel
architecte: architecture, archi
archiviste: archives, archivage
avocat: droit, barreau
bibliothécaire: bibliothèque
bijoutier: bijouterie, bijoux
boulanger: boulangerie, pain
brasseur: brasserie, bière
brodeur: broderie
cadreur: cadrage, caméra
calligraphe: calligraphie
carreleur: carrelage
céramiste: céramique
chanteur: chant
charpentier: charpente, charpenterie
chauffagiste: chauffage
chauffeur: conduite, transport
chocolatier: chocolaterie, chocolat
chorégraphe: chorégraphie, danse
coach: coaching
coiffeur: coiffure
comédien: comédie, théâtre
compositeur: composition, musique
comptable: comptabilité, compta, boekhouding
conseiller: conseil
consultant: conseil
conteur: conte
cordonnier: cordonnerie, chaussures
correcteur: correction, relecture
costumier: costumes
coursier: livraison
couturier: couture, naaister, naaien
couvreur: couverture, toiture, toit
cuisinier: cuisine
danseur: danse
décorateur: décoration, déco
déménageur: déménagement
designer: design
dessinateur: dessin
développeur: développement, dev, programmation, informatique, informaticien
diététicien: diététique, nutrition
ébéniste: ébénisterie
éclairagiste: éclairage, lumière
écrivain: écriture
éditeur: édition
éducateur: éducation, éduc
électricien: électricité
ergothérapeute: ergothérapie
esthéticien: esthétique, beauté
ferronnier: ferronnerie
fleuriste: fleurs
formateur: formation, cours
fromager: fromagerie, fromage
géomètre: topographie
graphiste: graphisme
graveur: gravure
horloger: horlogerie
hypnothérapeute: hypnose
illustrateur: illustration
imprimeur: imprimerie, impression
infirmier: soins infirmiers
infographiste: infographie
ingénieur: ingénierie, ingé
intégrateur: intégration
interprète: interprétariat, interprétation
jardinier: jardinage, jardin
journaliste: journalisme, presse
juriste: droit
kinésithérapeute: kinésithérapie, kiné
libraire: librairie
livreur: livraison
logopède: logopédie
luthier: lutherie
maçon: maçonnerie
magicien: magie
maquilleur: maquillage
maraîcher: maraîchage, légumes
marionnettiste: marionnettes
maroquinier: maroquinerie
masseur: massage
mécanicien: mécanique, mécano, réparation
médiateur: médiation
menuisier: menuiserie
modéliste: patronage
monteur: montage
mosaïste: mosaïque
musicien: musique
opticien: optique, lunettes
orthophoniste: orthophonie, logopède
ostéopathe: ostéopathie
parfumeur: parfumerie
pâtissier: pâtisserie
paysagiste: paysagisme, jardin
peintre: peinture
photographe: photographie, photo
pianiste: piano
plâtrier: plâtrerie
plombier: plomberie
potier: poterie
professeur: prof, cours, enseignement
psychologue: psychologie, psy
ramoneur: ramonage
réalisateur: réalisation
rédacteur: rédaction
régisseur: régie
relieur: reliure
restaurateur: restauration
scénariste: scénario
scénographe: scénographie
sculpteur: sculpture
secrétaire: secrétariat
sérigraphe: sérigraphie
serrurier: serrurerie
sonorisateur: sonorisation, sono
sophrologue: sophrologie
soudeur: soudure
styliste: stylisme
tailleur: couture
tapissier: tapisserie
tatoueur: tatouage
technicien: tech
tisserand: tissage
traducteur: traduction
traiteur: catering
tricoteur: tricot
urbaniste: urbanisme
vannier: vannerie
vétérinaire: véto
vidéaste: vidéo
vigneron: vin, vigne
vitrailliste: vitrail, maître verrier
vitrier: vitrerie
"""


def _read() -> dict[str, list[str]]:
    pairs = (line.split(":") for line in _TABLE.split("\n") if line)
    return {word.key: said.split(",") for name, said in pairs for word in normaliser.words(name)}


_SAID = {key: [words.strip() for words in said] for key, said in _read().items()}


def said(names: Iterable[str]) -> tuple[str, ...]:
    """What goes without saying for trades of these names."""
    keys = {word.key for name in names for word in normaliser.words(name)}
    return tuple(dict.fromkeys(words for key in sorted(keys) for words in _SAID.get(key, ())))
