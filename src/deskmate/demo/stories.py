"""The stories of the demo's shop. People, places and products are invented."""

from deskmate.demo.steps import (
    Answers,
    Claims,
    HandsBack,
    Marks,
    Notes,
    Queues,
    Replies,
    Resolves,
    Says,
    Snoozes,
    Story,
    TakesOver,
)
from deskmate.domain.threads import Mode, Priority

MIRA, JONAS, TOMASO = "mira", "jonas", "tomaso"
HOUR, DAY = 60.0, 24 * 60.0

STORIES = (
    Story(
        customer="marek-dvorak",
        name="Marek Dvořák",
        subject="Three days on the Larkfell ridge",
        steps=(
            (2 * DAY + 300, Says("Hello!")),
            (2 * DAY + 298, Says("Do you hire out snowshoes, and what do they cost a day?")),
            (2 * DAY + 296, Says("Is there a deposit when I hire equipment?")),
            (2 * DAY + 293, Says("Could I hire six pairs for the second weekend in February, all in one place?")),
            (
                2 * DAY + 271,
                Answers(JONAS, "Yes, in the Lyon shop. I have put six pairs aside, in your name, from the Friday on."),
            ),
            (2 * DAY + 268, Says("Wonderful, thank you!")),
            (2 * DAY + 120, Says("Which size do I need for hiking boots?")),
            (2 * DAY + 117, Says("Can I try boots at home?")),
            (1 * DAY + 600, Says("How long does delivery take to Belgium?")),
            (1 * DAY + 597, Says("What does delivery cost?")),
            (1 * DAY + 400, Says("One of us is 2.04 m tall. Which of your sleeping bags fits him, and is it in stock in Lyon?")),
            (1 * DAY + 380, TakesOver(TOMASO)),
            (1 * DAY + 379, Notes(TOMASO, "The Stork 900 XL goes up to 2.10 m. One left in Lyon, two in Trieste.")),
            (
                1 * DAY + 377,
                Replies(
                    TOMASO, "The Stork 900 XL fits people up to 2.10 m. Lyon has one left; shall I put it with the snowshoes?"
                ),
            ),
            (1 * DAY + 360, Says("Yes please. Does it keep warm at minus 12?")),
            (
                1 * DAY + 351,
                Replies(
                    TOMASO, "Its comfort limit is minus 9. With a silk liner you gain about four degrees; I can lend you one."
                ),
            ),
            (1 * DAY + 344, Says("Then the liner too. You are a treasure.")),
            (
                1 * DAY + 340,
                Replies(
                    TOMASO, "Both are on the shelf with your name on it. The assistant takes it from here; I am back on Thursday."
                ),
            ),
            (1 * DAY + 339, HandsBack(TOMASO, "Sleeping bag and liner are put aside in Lyon with the snowshoes.")),
            (200, Says("What does an avalanche set cost to hire?")),
            (197, Says("What are the opening hours of the Lyon shop?")),
            (195, Says("Thank you!")),
        ),
    ),
    Story(
        customer="hanna-lindqvist",
        name="Hanna Lindqvist",
        subject="Delivery to a mountain hut",
        steps=(
            (2 * DAY + 30, Says("Can you deliver to a mountain hut?")),
            (
                2 * DAY + 12,
                Answers(
                    MIRA,
                    "Not to the hut itself, but to the valley station of its goods lift. Write the hut's name into the second address line.",
                ),
            ),
            (2 * DAY + 9, Says("Great, thank you!")),
            (2 * DAY + 5, Resolves(MIRA)),
        ),
    ),
    Story(
        customer="charlotte-petit",
        name="Charlotte Petit",
        subject="Ridge Club",
        steps=(
            (1 * DAY + 500, Says("How do I cancel my membership?")),
            (1 * DAY + 498, Says("Thanks!")),
            (1 * DAY + 410, Resolves(JONAS)),
        ),
    ),
    Story(
        customer="lucas-moreau",
        name="Lucas Moreau",
        subject="Broken tent pole",
        steps=(
            (1 * DAY + 200, Says("How do I claim the warranty?")),
            (
                1 * DAY + 196,
                Says("A pole of my Larkfell Duo snapped in the wind. I need it back by the 20th; can your workshop do that?"),
            ),
            (1 * DAY + 150, TakesOver(JONAS)),
            (
                1 * DAY + 148,
                Replies(
                    JONAS,
                    "A pole section is on its way from our supplier and arrives tomorrow. I will write to you as soon as it is here.",
                ),
            ),
            (1 * DAY + 140, Says("Perfect, I can wait until then.")),
            (
                1 * DAY + 138,
                Notes(JONAS, "Section 3 of the Duo, 8.5 mm, ordered. Covered: the photo shows a clean break, no bend."),
            ),
            (1 * DAY + 137, Marks(JONAS, Priority.NORMAL, ("warranty", "tent"))),
            (1 * DAY + 136, Snoozes(JONAS)),
        ),
    ),
    Story(
        customer="samuel-okoye",
        name="Samuel Okoye",
        subject="Order without an invoice",
        steps=(
            (400, Says("There was no invoice with order FF-20817. My accountant needs one with our VAT number on it.")),
            (371, TakesOver(TOMASO)),
            (
                366,
                Replies(
                    TOMASO,
                    "I have added your VAT number and sent the invoice to the address of the order. It should be with you now.",
                ),
            ),
            (352, Says("It is here. Thank you for the quick help.")),
            (349, HandsBack(TOMASO, "The invoice is sent; nothing is left to do on FF-20817.")),
            (55, Says("Are gift cards valid online?")),
        ),
    ),
    Story(
        customer="giulia-ferrante",
        name="Giulia Ferrante",
        subject="Parcel marked as delivered",
        steps=(
            (190, Says("My parcel says delivered but nothing is here. Can you find out where it is?")),
            (176, TakesOver(MIRA)),
            (174, Replies(MIRA, "I am sorry, that is annoying. I am calling the carrier now; please give me half an hour.")),
            (149, Notes(MIRA, "The carrier's scan puts it at the kiosk in via dei Tigli 3, not at her door. They apologise.")),
            (
                147,
                Replies(
                    MIRA,
                    "Found it: the driver left it at the kiosk in via dei Tigli 3, two doors from you. Your name and a document will do.",
                ),
            ),
            (118, Says("I have it, thank you! One tent peg is missing from the bag, though.")),
            (102, Replies(MIRA, "A full set of pegs is on its way to you, free of charge. It should arrive on Wednesday.")),
            (90, Says("That is very kind.")),
        ),
    ),
    Story(
        customer="anneke-de-wit",
        name="Anneke de Wit",
        subject="New soles for old boots",
        steps=(
            (170, Says("What does it cost to put new soles on boots?")),
            (166, Says("Mine are from 1994 and stitched, not glued. Does your cobbler still do that?")),
            (
                131,
                Queues(
                    JONAS,
                    "workshop",
                    "Stitched welt, 1994. Somebody from the workshop should look at photos before we promise anything.",
                ),
            ),
        ),
    ),
    Story(
        customer="yusuf-aydin",
        name="Yusuf Aydın",
        subject="Zip of a rain jacket",
        steps=(
            (95, Says("What does a new zip cost?")),
            (92, Says("How long does a repair take?")),
        ),
    ),
    Story(
        customer="elodie-marchand",
        name="Élodie Marchand",
        subject="Opening hours",
        steps=((48, Says("What are the opening hours of the Ghent shop?")),),
    ),
    Story(
        customer="ines-carvalho",
        name="Inês Carvalho",
        subject="Crack in a harness buckle",
        steps=(
            (
                41,
                Says(
                    "There is a hairline crack in the buckle of the Larkfell Swift harness I bought in May. We climb tomorrow at six. Is it safe?"
                ),
            ),
            (38, Marks(MIRA, Priority.URGENT, ("safety", "harness"))),
            (37, TakesOver(MIRA)),
            (
                36,
                Replies(
                    MIRA,
                    "Please do not climb in it, not even once. Can you get to the Trieste shop today? A new one is waiting for you there, free of charge.",
                ),
            ),
            (
                34,
                Notes(
                    MIRA,
                    "Tomaso keeps a Swift in M behind the counter. Send the old buckle to the maker and check the batch: 05-B.",
                ),
            ),
            (9, Says("I can be there at 19:15. Is somebody still there then?")),
        ),
    ),
    Story(
        customer="pieter-vandamme",
        name="Pieter Vandamme",
        subject="Snowshoes for a school class",
        steps=(
            (25, Says("I teach at a school in Mechelen. Could I hire snowshoes for a class of 24, and is there a discount?")),
            (1, Claims(JONAS)),
        ),
    ),
    Story(
        customer="viktor-halasz",
        name="Viktor Halász",
        subject="Forty jackets for a hiking club",
        mode=Mode.REVIEW,
        steps=(
            (21, Says("What does waterproofing a jacket cost?")),
            (20, Marks(JONAS, Priority.HIGH, ("club",))),
        ),
    ),
    Story(
        customer="noor-haddad",
        name="Noor Haddad",
        subject="Price of a rucksack",
        steps=((14, Says("Do you price-match the Larkfell 35 rucksack? I have seen it for 20 euros less elsewhere.")),),
    ),
)
