"""What the words of a header mean, in several languages.

A header is taken apart into words, and each word names the concepts that it may stand
for: `Kundennr.` is a customer and a number, `order_date` an order and a date. Nothing
here knows columns or values.
"""

import re
import unicodedata
from functools import cache
from typing import NamedTuple


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, between blanks."""
    return frozenset(text.split())


# Written without accents and umlauts. A word may stand in several lists: `nombre` is a
# name in Spanish and a number of things in French.
WORDS = {
    "order": """order orders ord invoice invoices inv bill billing receipt transaction
        transactions trans txn trx tx purchase purchases booking checkout basket cart
        ticket voucher deal bestellung bestellungen bestell auftrag auftrags rechnung
        rechnungs beleg belege bon kassenbon kauf kaufe einkauf vorgang buchung
        commande commandes cmd facture achat achats vente recu panier pedido pedidos
        factura compra compras venta recibo transaccion orden ordine ordini fattura
        acquisto scontrino vendita bestel bestelling factuur aankoop encomenda fatura
        warenkorb verkauf verkaufs gekauft sold sale sales bought""",
    "customer": """customer customers cust client clients clt user users shopper buyer
        buyers member members membership account acct subscriber guest contact patron
        consumer household person holder card cardholder payer crm kunde kunden kd kdnr
        kaufer mitglied mitglieder mitglieds konto besteller debitor gast cliente
        clientes acheteur membre abonne adherent compte utilisateur comprador usuario
        socio cuenta miembro acquirente utente klant klanten koper loyalty""",
    "id": """id ids ident no nr num number nbr code key ref reference uid guid uuid
        identifier nummer nummern kennung kennzeichen schlussel kdnr numero n
        identifiant cle codigo clave identificador codice""",
    "date": """date dt datum day timestamp ts time datetime placed at on when tag zeit
        uhrzeit zeitpunkt jour heure horodatage fecha dia hora data giorno ora
        datetijd tijd moment""",
    "product": """product products prod item items article artikel articles sku stock
        goods material merchandise isbn asin lineitem variant title description desc
        plu ean upc gtin barcode produkt produkte ware waren bezeichnung produit
        produits designation libelle producto productos articulo articulos descripcion
        prodotto articolo produto service game book""",
    "line": "line lines position pos row zeile posten ligne linea posicion riga regel",
    "quantity": """quantity qty quant qnt units count pieces pcs pc cnt menge anzahl anz
        stuck stueck stk zahl stuckzahl quantite qte nombre nb cantidad cant unidades
        uds quantita pezzi aantal quantidade qtd stuk""",
    "unit": "unit unitary unitaire unitario einzel stuck each per pu",
    "price": "price prices pvp preis prix precio prezzo prijs preco pu rate",
    "amount": """amount amt total totals sum revenue sales sale turnover value spend
        spent spending paid gross net subtotal grand charge charged dollars euros
        betrag summe gesamt umsatz umsatze wert netto brutto montant somme ttc ht
        importe chiffre affaires ca valor suma ventas monto importo totale bedrag
        totaal omzet total endbetrag""",
    "part": "subtotal net netto ht zwischen cost outstanding due offen before vor",
    "discount": """discount discounts disc rebate reduction coupon promo promotion
        deduction markdown rabatt rabatte nachlass ermassigung gutschein skonto remise
        rabais descuento rebaja sconto korting desconto""",
    "cost": """cost costs cogs kosten einkaufspreis ek ekpreis selbstkosten cout coste
        costo einstand einstandspreis wareneinsatz inkoop inkoopprijs""",
    "currency": "currency curr ccy wahrung devise moneda divisa valuta moeda monnaie",
    "channel": """channel source store shop branch outlet platform kanal filiale
        vertriebsweg herkunft canal magasin boutique tienda sucursal canale negozio
        winkel kanaal origin""",
    "acquisition": """acquisition acquired referral utm campaign source akquise werbe
        werbung medium herkunft origin""",
    "status": """status state stage zustand statut etat estado stato fulfillment
        situation""",
    "country": "country land lander pays pais nation paese staat nationality",
    "city": """city town ort stadt wohnort ville ciudad poblacion citta plaats
        municipality localidad""",
    "address": """address street zip postal postcode plz cp region province county
        bundesland strasse adresse direccion rue via provincia lat lon latitude
        longitude location hausnummer""",
    "email": "email mail mailadresse courriel correo emailadresse",
    "phone": """phone tel telephone mobile cell telefon telefonnummer handy telefono
        movil portable gsm mobil telefoon fax""",
    "name": """name names fullname firstname lastname surname vorname nachname nom
        prenom nombre apellido apellidos nome cognome naam first last title""",
    "gender": "gender sex geschlecht genre sexe sexo genero genere geslacht",
    "age": "age alter edad eta leeftijd idade",
    "birth": """birth dob birthday birthdate born geburt geburtstag geburts naissance
        nacimiento nascita geboorte bday""",
    "signup": """signup signed join joined register registered registration reg since
        enrolled enrollment enrolment opened anmelde anmeldung anmeldedatum registriert
        registrierung eintritt eintritts seit inscription inscrit alta registro
        iscrizione""",
    "creation": "created creation erstellt cree creado angelegt aangemaakt",
    "shipping": """ship shipped shipping delivery delivered dispatch dispatched freight
        postage fulfilled lieferung versand liefer versandt livraison expedition envio
        entrega port porto spedizione consegna verzending""",
    "tax": "tax taxes vat mwst ust umsatzsteuer tva iva gst btw steuer taxe",
    "refund": """refund refunded return returned returns retoure erstattung
        remboursement devolucion rimborso credit gutschrift""",
    "payment": """payment paid pay card zahlung zahlungs zahlart bezahlt paiement pago
        pagamento betaling""",
    "update": """updated modified changed last edited latest aktualisiert geandert
        loaded imported exported
        letzte letzter letztes modifie actualizado dernier derniere ultima ultimo""",
    "cancel": "cancelled canceled cancel storno storniert annule cancelado",
    "due": "due expiry expires expiration fallig falligkeit echeance vencimiento",
    "percent": "percent percentage pct prozent pourcentage porcentaje ratio share",
    "consent": """consent optin opt marketing newsletter accepts subscribed permission
        einwilligung consentement consentimiento subscription allowed erlaubt""",
    "sms": "sms text",
    "post": "post direct mailing brief letter postal",
    "size": "size weight length grosse gewicht taille talla poids peso",
    "event": """event events type action activity ereignis typ evenement evento aktion
        tipo""",
}  # fmt: skip
SIGNS = {"#": "number", "№": "number", "%": "percent", "°": ""}
# say nothing
FILLERS = words_of(
    """the of in de du la le les des del der die das den dem e d l for to a as
    and und et y usd eur gbp chf our your my is was im am pro par por x k
    incl inkl inc"""
)
LINKS = ("", "s", "n", "en", "es", "er")  # between the parts of a German compound
ENDINGS = ("s", "es", "n", "en", "e")


class Header(NamedTuple):
    """A header's words: the concepts that each may stand for, none if unknown."""

    words: tuple[str, ...]
    concepts: tuple[frozenset[str], ...]

    @property
    def all_concepts(self) -> frozenset[str]:
        """What any of the words may stand for."""
        return frozenset().union(*self.concepts)


def without_accents(text: str) -> str:
    """Return the text in small letters without accents, umlauts and ligatures."""
    for letter, plain in (("ß", "ss"), ("ø", "o"), ("æ", "ae"), ("œ", "oe")):
        text = text.replace(letter, plain)
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).lower()


def _lexicon() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for concept, words in WORDS.items():
        for word in words.split():
            found.setdefault(word, set()).add(concept)
    return {word: frozenset(concepts) for word, concepts in found.items()}


LEXICON = _lexicon()


def split_words(header: str) -> list[str]:
    """Return the words of a header, in small letters without accents.

    Examples
    --------
    >>> split_words("unitPrice (€)")
    ['unit', 'price']
    >>> split_words("Bestell-Nr.")
    ['bestell', 'nr']

    """
    for sign, word in SIGNS.items():
        header = header.replace(sign, f" {word} ")
    # "E-Mail" is one word
    header = re.sub(r"\b[eE][-_ ]?([mM]ail)", r"e\1", header)
    header = re.sub(r"(?<=[a-zà-ÿ0-9])(?=[A-ZÀ-Ý])", " ", header)
    header = re.sub(r"(?<=[A-Z])(?=[A-Z][a-z])", " ", header)
    return re.findall(r"[^\W\d_]+", without_accents(header))


@cache
def read_header(header: str) -> Header:
    """Take a header apart into words with their concepts.

    Examples
    --------
    >>> [sorted(each) for each in read_header("Kundennr.").concepts]
    [['customer'], ['id']]

    """
    words, concepts = [], []
    for word in split_words(header):
        if word in FILLERS and word not in LEXICON:
            continue
        for part in _parts(word):
            words.append(part)
            concepts.append(_concepts(part))
    return Header(tuple(words), tuple(concepts))


def _concepts(word: str) -> frozenset[str]:
    """Concepts of one word, with or without an ending; ae, oe, ue are umlauts too."""
    spellings = [word, word.replace("ae", "a").replace("oe", "o").replace("ue", "u")]
    for spelling in spellings:
        if spelling in LEXICON:
            return LEXICON[spelling]
        for ending in ENDINGS:
            stem = spelling.removesuffix(ending)
            if stem != spelling and len(stem) > 2 and stem in LEXICON:
                return LEXICON[stem]
    return frozenset()


def _parts(word: str) -> list[str]:
    """Return the known words that a compound is made of; else the word itself."""
    if _concepts(word) or len(word) < 5:
        return [word]
    for length in range(len(word) - 2, 1, -1):
        first, rest = word[:length], word[length:]
        if first not in LEXICON or (len(first) < 4 and first not in SHORT_FIRST):
            continue
        for link in LINKS:
            if rest.startswith(link) and len(rest) > len(link) + 1:
                others = _parts(rest[len(link) :])
                if all(_concepts(other) for other in others):
                    return [first, *others]
    # an unknown beginning: Verkaufspreis is a price of something
    for length in range(3, len(word) - 3):
        if len(word) - length >= 4 and word[length:] in LEXICON:
            return [word[:length], word[length:]]
    return [word]


SHORT_FIRST = {"kd", "inv", "ord", "num", "cod", "ref", "crm", "sku", "qty", "nb"}
