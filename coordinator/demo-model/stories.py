"""Writes the short stories that the Caravan demo model is trained on.

Everything comes from the word lists and plots below; no text is taken from
anywhere else. A plot is a string in which `[a|b]` picks one alternative
(alternatives nest) and `{x}` inserts a fact of the story, so that names,
animals, objects and pronouns stay the same from the first sentence to the last.

    python3 stories.py 5 --seed 7      # print five stories
"""
import argparse
import random
import re

GIRLS = "Mina Zara Layla Nora Tali Hana Dina Lily Anna Maya Ruby Sara".split()
BOYS = "Omar Kofi Idris Rafi Hadi Sami Tom Ben Leo Max Hugo Nico".split()
PETS = "Momo Pip Sandy Pepper Dusty Clover Button Honey Pickle Star".split()
ANIMALS = "camel dog cat goat donkey horse rabbit mouse bird turtle fox lamb".split()
COLOURS = "red blue green yellow white purple golden silver".split()
OBJECTS = "kite scarf drum lamp flute basket hat ball bell cup map book blanket lantern box ring".split()
BREAKABLE = "kite drum lamp flute basket cup lantern box".split()
PLACES = [("the well", "by the well"), ("the river", "near the river"), ("the garden", "in the garden"),
          ("the palm trees", "under the palm trees"), ("the tent", "behind the tent"),
          ("the market", "at the market"), ("the hill", "on the hill"), ("the old wall", "next to the old wall"),
          ("the bridge", "under the bridge"), ("the big tree", "behind the big tree"),
          ("the barn", "in the barn"), ("the gate", "by the gate")]
ELDERS = [("grandmother", "she"), ("grandfather", "he"), ("mother", "she"), ("father", "he"),
          ("aunt", "she"), ("uncle", "he")]
FOODS = "bread|dates|soup|apples|honey cakes|figs|cheese|rice".split("|")
NUMBERS = "two three four five six seven".split()
PRONOUNS = {"she": ("she", "her", "her"), "he": ("he", "him", "his")}

HOME = ("[in a small village|in a white house|in a big tent|in a little town|in a small house] "
        "[near the desert|by the river|by the sea|near the oasis|under the hills]")
KIND = "[little|kind|happy|brave|young|clever|quiet]"
INTROS = [
    "Once upon a time, there was a " + KIND + " {kid} named {h}. {He} lived " + HOME + ". ",
    "Once upon a time, there was a " + KIND + " {kid} named {h}. ",
    "Once upon a time, there lived a " + KIND + " {kid} named {h}. "
    "{He} [loved to play outside|had many friends|loved stories|liked to sing|loved the warm sun]. ",
    "Once upon a time, " + HOME + ", there lived a " + KIND + " {kid} named {h}. ",
    "Long ago, " + HOME + ", there lived a " + KIND + " {kid} named {h}. ",
    "There once was a " + KIND + " {kid} named {h}. {He} lived " + HOME + ". ",
    "{h} was a " + KIND + " {kid} who lived " + HOME + ". ",
]
DAY = "One [day|day|day|morning|sunny day|warm day|cold morning|windy day|quiet morning], "
NIGHT = "One [night|cold night|dark night|warm night|evening], "

PLOTS = {
    "lost": [
        DAY + "{H} lost {his} {c} {o}. {He} [felt very sad|began to cry]. "
        "{He} looked {p1}, but the {o} was not there. \"[What is wrong|Why are you sad], {h}?\" "
        "asked {his} friend {f}. "
        "\"I lost my {o},\" said {h}. \"Do not [worry|cry],\" said {f}. \"[I will help you|We will look together].\" "
        "They looked and looked. [At last|Soon|Then] {f} saw something {p2}. It was the {o}! "
        "\"Thank you, {f},\" said {h}, and {he} gave {fhim} a big hug. "
        "[From that day on, {h} always kept the {o} in a safe place.|"
        "Then they played with the {o} until the sun went down.|"
        "{h} was glad to have a friend like {f}.]",
        DAY + "{h}'s {a} ran away. The {a} was named {n}. {h} looked {p1}, but {n} was not there. "
        "\"{n}! Where are you?\" {he} called. {His} friend {f} had [a clever plan|a good idea]. "
        "\"{n} loves {food},\" said {f}. "
        "So they put some {food} {p2} and waited. Soon they heard a small sound. It was {n}! "
        "The {a} ate all the {food}. {h} laughed and hugged {n}. \"[Please do not run away again|"
        "I missed you so much],\" {he} said. "
        "[Then {h}, {f} and {n} walked home together.|That night, {n} slept next to {h}.]",
    ],
    "help": [
        DAY + "{H} [saw|found|met] a little {a} {p1}. The {a} [looked sad|was crying|was all alone]. "
        "\"What is wrong, little {a}?\" asked {h}. "
        "[\"I am hungry,\" said the {a}. {h} gave {food} to the {a}, and the {a} ate {it} all."
        "|\"I am thirsty,\" said the {a}. {h} brought a cup of water, and the {a} drank it all."
        "|\"I am cold,\" said the {a}. {h} put {his} {c} scarf around the {a}, and soon the {a} was warm."
        "|\"My foot hurts,\" said the {a}. {h} tied a {c} cloth around it, and soon the {a} could walk again.] "
        "\"Thank you, {h},\" said the {a}. \"[One day I will help you too|I will never forget you].\" "
        "The next day, {h} lost {his} way {p2}. {He} was afraid. "
        "Then {he} saw the little {a}! The {a} showed {him} the way home. "
        "[From that day on, {h} and the {a} were best friends.|\"Now you have helped me too,\" said {h} with a smile.]",
        DAY + "{his} friend {f} was sick. {h} wanted to help {fhim}. \"What can I do?\" {he} asked {his} {e}. "
        "\"You can bring {f} some {food},\" said {his} {e}. "
        "So {h} put some {food} in a {c} basket and went to the house of {f}. "
        "{f} was in bed. \"I brought you some {food},\" said {h}. {f} smiled. \"Thank you, {h},\" {fhe} said. "
        "They ate together, and {h} told {f} a funny story about a {a}. They laughed and laughed. "
        "[The next day, {f} felt much better.|Soon {f} was well again, and they went to play {p1}.|"
        "\"You are the best friend of all,\" said {f}.]",
    ],
    "caravan": [
        DAY + "{h} [set out|left home] with a caravan. {He} went with {his} {e} and {num} camels. "
        "The [first|biggest|oldest] camel was named {n}. {n} carried [salt and cloth|{food} and water|lamps and cups]. "
        "They walked across the hot desert for {num2} days. Then a strong wind came, and the sand hid the path. "
        "\"We are lost,\" said {h}. \"[Do not be afraid|Be brave],\" said {his} {e}. \"[{n} knows the way|"
        "{n} can smell the water].\" "
        "{n} lifted {nhis} head and began to walk. [In the morning|After a long time|"
        "Soon] they saw green palm trees. It was the oasis! "
        "\"Thank you, {n},\" said {h}, and {he} gave {nhim} some {food}. "
        "[{n} was the best camel in the caravan.|The next day, the caravan came to the city.|"
        "{h} never forgot that journey.]",
        DAY + "a caravan came to the village. There were {num} camels. {h} ran to see them. "
        "The last camel was [small and tired|very young|slow and sad]. Its name was {n}. "
        "\"{n} does not want to walk,\" said the old man. \"The bag is too heavy.\" "
        "{h} took a {c} {o} out of the bag. \"I can carry this for {n},\" {he} said. "
        "Now the bag was light, and {n} began to walk. {h} walked with the caravan all the way to {q1}. "
        "The old man smiled. \"You are kind,\" he said. \"Keep the {o}, {h}. It is yours.\" "
        "[{h} waved to {n} until the caravan was gone.|{h} was very happy, and so was {n}.|"
        "{h} learned that a heavy load is light when friends share it.]",
    ],
    "learn": [
        DAY + "{h} wanted to learn to {skill}. {He} tried, but {he} {fail}. "
        "\"I will never learn to {skill},\" said {h}. {He} sat down {p1} and [felt sad|began to cry]. "
        "{His} {e} came and sat next to {him}. \"When I was young, I could not {skill},\" said {his} {e}. "
        "\"But I tried a little every day.\" So {h} tried a little every day. "
        "After {num} days, {h} could {skill}! \"Look at me!\" {he} called. {His} {e} was very proud. "
        "[{h} learned that you must not give up.|Now {h} can {skill} better than anyone in the village.|"
        "Then {h} said, \"Now I will teach my friend {f}!\"]",
        DAY + "{h} got a {c} {b} from {his} {e}. \"[Take good care of it|Be careful with it],\" said {his} {e}. "
        "{h} [ran|went] to {q1} to show it to {his} friend {f}. But {he} fell, and the {b} broke! "
        "{h} was afraid. {He} hid the {b} {p2}. \"Where is your {b}?\" asked {his} {e}. "
        "\"I fell, and the {b} broke,\" said {h}. \"I am sorry.\" {His} {e} was not angry. "
        "\"Thank you for telling the truth,\" {ehe} said. \"We can fix it together.\" "
        "Soon the {b} was as good as new. "
        "[{h} learned that it is good to tell the truth.|\"I will always tell the truth,\" said {h}.|"
        "The next day, {h} walked slowly to show it to {f}.]",
    ],
    "weather": [
        DAY + "{H} was playing {p1} with {his} friend {f}. Then {storm}. "
        "\"[Let us run home|Come with me]!\" said {f}. They ran to {q2} and sat there, close together. "
        "There was a little {a} too. The {a} was [cold and wet|afraid|all alone]. "
        "{h} put {his} {c} blanket around the {a}. \"Do not be afraid,\" {he} said. \"[The storm will be over soon|"
        "We are here with you].\" "
        "After a while, it was quiet. The sun came out again, and they saw a big rainbow. "
        "[Then they all walked home together.|The {a} went home with {h}, and {he} named it {n}.|"
        "{h} and {f} were not afraid of storms any more.]",
        DAY + "there was no water in the village. The flowers {p1} were dry, and the {a} was thirsty. "
        "\"[What can we do|Will it rain soon]?\" asked {h}. \"We must wait,\" said {his} {e}. "
        "But {h} took a {c} cup and went with {his} friend {f} to {q2}. They dug and dug in the sand. "
        "[At last|After a long time] {f} saw a little water. {h} filled the cup and took it to the {a}. "
        "The {a} drank it all. "
        "Then a big [dark|gray] cloud came, and it began to rain! "
        "[{h} and {f} danced in the rain.|The flowers were soon green again.|\"Thank you, rain,\" said {h}.]",
    ],
    "market": [
        DAY + "{H} went to the market with {num} coins. {He} wanted to buy a {c} {o}. "
        "On the way, {he} met {his} friend {f}. {f} looked sad. \"I am hungry, and I have no coins,\" said {f}. "
        "{h} thought about the {o}. Then {he} bought some {food} and gave {it} to {f}. "
        "\"Thank you, {h}! You are so kind,\" said {f}. Now {h} had no coins, but {he} was [happy|not sad]. "
        "An old woman saw {him}. \"You have a good heart,\" she said. She gave {him} the {o}! "
        "[{h} smiled all the way home.|{h} and {f} played with the {o} all day.|{h} learned that it is good to share.]",
        DAY + "{H} took a {a} to the market. The {a} was named {n}. {His} {e} needed coins. "
        "But {h} loved {n}, and {he} was very sad. A man with a {c} hat came. "
        "\"I will give you {num} coins for the {a},\" said the man. {h} looked at {n}, and {n} looked at {h}. "
        "\"No,\" said {h}. \"{n} is my friend. I will not sell a friend.\" {He} went home with {n}. "
        "{His} {e} smiled. \"[You are right|That is good], {h},\" {ehe} said. \"We can sell {food} at the market.\" "
        "[{h} and {n} were friends for ever.|{h} was the happiest {kid} in the village.]",
    ],
    "share": [
        DAY + "{h} and {his} friend {f} found a {c} {o} {p1}. \"It is mine,\" said {h}. \"No, it is mine,\" said {f}. "
        "They were very angry. Then {f} [began to cry|went home]. {h} felt bad. {He} went to {his} {e}. "
        "\"A {o} is nice, but a friend is better,\" said {his} {e}. "
        "So {h} took the {o} to {f}. \"I am sorry, {f},\" {he} said. \"You can have the {o}.\" "
        "{f} smiled. \"I am sorry too,\" {fhe} said. \"[We can share it|Let us share it].\" "
        "[They were both happy.|They never fought again.|They were best friends again.]",
        DAY + "{h} had {num} {food2}. {He} sat down {p1} to eat them. Then a {a} came. \"May I have one?\" asked the {a}. "
        "\"[No, they are all mine|No, go away],\" said {h}. The {a} went away. {h} ate and ate. "
        "Soon {his} belly hurt, and {he} was all alone. \"It is no fun to eat alone,\" {he} said. "
        "{He} took the last {food2} and looked for the {a}. {He} found the {a} {p2}. \"I am sorry,\" said {h}. "
        "\"Please eat with me.\" "
        "They sat down and ate together. [{h} learned that food is better with friends.|"
        "Now {h} was happy, and so was the {a}.]",
    ],
    "night": [
        NIGHT + "{h} could not sleep. {He} heard a [strange|loud|soft] sound {p1}. {He} was afraid. "
        "{He} took {his} {c} lantern and went outside. {His} friend {f} heard the sound too. "
        "\"Let us look together,\" said {f}. They walked slowly to {q1}. {h} held up the lantern. "
        "It was only a little {a}! The {a} was [looking for {food}|playing with a {o}|singing to the moon]. "
        "{h} and {f} laughed. "
        "\"We were afraid of a little {a}!\" said {h}. "
        "[{h} was not afraid of the dark any more.|That night {h} slept very well.|"
        "Then {h} went back to bed and dreamed of the little {a}.]",
        NIGHT + "{h} asked {his} {e}, \"How many stars are there?\" "
        "\"[Go and see|Let us go and look],\" said {his} {e}. "
        "So {h} and {his} {e} walked up the hill with a {a} named {n}. "
        "The sky was dark, and the stars were bright. {h} tried to count them. "
        "\"One, two, three,\" {he} said. But {he} soon got tired. \"There are too many,\" said {h}. "
        "{n} [put {nhis} head on the ground and slept|lay down next to {him}]. "
        "\"The stars will be here tomorrow,\" said {his} {e}. "
        "[They walked home slowly, and {h} held the hand of {his} {e}.|{h} smiled. \"Then we will come again,\" "
        "{he} said.]",
    ],
    "gift": [
        DAY + "{h} wanted to make a gift for {his} friend {f}. It was the birthday of {f}. "
        "\"What does {f} like?\" {he} thought. Then {h} had a good idea. {He} made a {o} out of [wood|paper|cloth|"
        "grass]. "
        "It took {num} days. {He} painted it {c}. "
        "On the birthday, {h} went to {q1} and gave {f} the {o}. \"[Did you make it|Is it for me]?\" asked {f}. "
        "\"Yes,\" said {h}. \"I made it for you.\" {f} was so happy. \"This is the best gift of all,\" {fhe} said. "
        "[They ate {food} and played all day.|{f} took the {o} everywhere.|"
        "Then they danced and sang until it was dark.]",
        DAY + "{h} found a {c} box {p1}. \"What is in the box?\" {he} thought. {He} could not open it. "
        "{He} took the box to {his} friend {f}. \"We need a key,\" said {f}. They looked for the key {p2}. "
        "Then a {a} came with something in its mouth. It was a key! {h} opened the box. Inside there was a {c2} {o}. "
        "{h}'s {e} came. \"That is my {o}!\" said {his} {e}. \"I lost it when I was a child.\" "
        "{h} gave the {o} to {his} {e}. \"Thank you,\" {ehe} said. "
        "[Then they all ate {food} together.|{h} and {f} kept the box.]",
    ],
    "grow": [
        DAY + "{h}'s {e} gave {him} a small seed. {h} put the seed in the ground {p1}. "
        "{He} gave it water every day. But nothing came. "
        "\"[It is not growing|My seed is sleeping],\" {he} said to {his} friend {f}. \"[Wait a little|"
        "You must wait],\" said {f}. "
        "After {num} days, {h} saw a little green leaf. Then a {a} came and wanted to eat it. "
        "\"Stop!\" said {h}. \"I have some {food} for you.\" The {a} ate the {food} and left the leaf alone. "
        "The plant grew and grew. At last it had a big {c} flower. "
        "[\"It was good to wait,\" said {h}.|{h} gave the flower to {his} {e}.|"
        "It was the prettiest flower in the village.]",
        DAY + "{h} and {his} friend {f} wanted to build a [little house|small boat|tower]. "
        "They found wood {p1} and carried it to {q2}. They worked all day. Then the wind came, and it all fell down. "
        "\"Oh no!\" said {f}. But {h} did not give up. \"[Let us try again|We can do it again],\" {he} said. "
        "A {mount} came to help. The {mount} was big and strong and carried a lot of wood. "
        "In the evening, it was done. They put a {c} flag on top. \"We did it together,\" said {f}. "
        "[{h} was very proud.|Then they all sat down and ate {food}.|{h} and {f} played there every day.]",
    ],
    "race": [
        DAY + "there was a race in the village. {h} wanted to ride {his} {mount} {n} in the race. {n} was [small|old|slow]. "
        "{h}'s friend {f} had a fast {mount}. \"You cannot win with {n},\" said {f}, and {fhe} laughed. "
        "The race began. {f} was very fast, and {h} was last. But near {q1}, {f} fell into the [sand|mud]! "
        "{h} could win now. But {he} stopped too. \"Are you hurt, {f}?\" {he} asked. "
        "{h} helped {fhim} up, and they both rode home on {n}. "
        "\"I am sorry I laughed,\" said {f}. \"You are a good friend.\" "
        "[All the people clapped for {h} and {n}.|{h}'s {e} gave {him} a {c} {o}.|"
        "From that day on, {h} and {f} were best friends.]",
    ],
}
SKILLS = [("swim", "went under the water"), ("play the flute", "made only a bad sound"), ("ride a camel", "fell into the sand"),
          ("bake bread", "burned it"), ("read", "did not know the letters"), ("dance", "fell down"),
          ("climb a tree", "fell down"), ("fly a kite", "could not make it go up"), ("play the drum", "was too slow"),
          ("sing", "forgot the words"), ("count to ten", "forgot the number six"), ("ride a horse", "was afraid")]
STORMS = ["it began to rain very hard", "a big storm came", "the wind began to blow very hard",
          "the sky became dark, and it began to rain", "a wall of sand came over the hills"]


def _new_name(rng):
    """A made-up name, so that the model learns to copy names rather than to know them."""
    name = "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(2))
    return (name + rng.choice(["", "", "n", "r", "l", "s", "m"])).capitalize()


def _expand(rng, text):
    while True:
        text, changes = re.subn(r"\[([^\[\]]*)\]", lambda m: rng.choice(m.group(1).split("|")), text)
        if not changes:
            return text


def _person(rng, used):
    pronoun = rng.choice(["she", "he"])
    while True:
        name = _new_name(rng) if rng.random() < 0.2 else rng.choice(GIRLS if pronoun == "she" else BOYS)
        if name not in used:
            used.add(name)
            return name, pronoun


def story(rng):
    """Returns one story; the same generator state gives the same story."""
    used = set()
    hero, hero_is = _person(rng, used)
    kid = "girl" if hero_is == "she" else "boy"
    kinds = list(PLOTS)
    animal = rng.choice(ANIMALS)
    if rng.random() < 0.15:  # the hero is an animal
        hero = rng.choice(PETS)
        kid = rng.choice(ANIMALS[1:] + ["camel"] * 8)
        kinds = ["help", "weather", "share", "night", "gift", "grow"]
        animal = rng.choice([other for other in ANIMALS if other != kid])
    friend, friend_is = _person(rng, used)
    pet = rng.choice([name for name in PETS if name != hero])
    elder, elder_is = rng.choice(ELDERS)
    (q1, p1), (q2, p2), _ = rng.sample(PLACES, 3)
    colour, colour2 = rng.sample(COLOURS, 2)
    food = rng.choice(FOODS)
    skill, fail = rng.choice(SKILLS)
    number, number2 = rng.sample(NUMBERS, 2)
    she, her, hers = PRONOUNS[hero_is]
    fshe, fher, _ = PRONOUNS[friend_is]
    pet_she, pet_her, pet_hers = PRONOUNS[rng.choice(["she", "he"])]
    facts = dict(
        h=hero, he=she, him=her, his=hers, He=she.capitalize(), His=hers.capitalize(),
        kid=kid, f=friend, fhe=fshe, fhim=fher,
        n=pet, nhim=pet_her, nhis=pet_hers, e=elder, ehe=elder_is,
        a=animal, mount=rng.choice(["camel", "donkey", "horse"]),
        c=colour, c2=colour2, o=rng.choice(OBJECTS), b=rng.choice(BREAKABLE), food=food, it="them" if food.endswith("s") else "it",
        food2=rng.choice(["apples", "honey cakes", "figs", "dates"]),
        p1=p1, p2=p2, q1=q1, q2=q2, num=number, num2=number2,
        skill=skill, fail=fail, storm=rng.choice(STORMS))
    plot = rng.choice(PLOTS[rng.choice(kinds)])
    if rng.random() < 0.75:
        intro = rng.choice(INTROS)
        facts["H"] = rng.choice([hero, she])
    else:  # a direct opening: the first sentence must name the hero
        intro = ""
        facts["H"] = hero
        if kid in ANIMALS or ("{h}" not in plot[:90] and "{H}" not in plot[:110]):
            intro = "{h} was a " + KIND + " {kid}. "
    text = _expand(rng, intro + plot)
    return re.sub(r" +", " ", text.format(**facts)).strip()


def corpus(count, seed):
    """Yields `count` stories; different seeds give independent corpora."""
    rng = random.Random(seed)
    for _ in range(count):
        yield story(rng)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    for line in corpus(arguments.count, arguments.seed):
        print(line + "\n")
