"""The text of generated pages: sentences written for this project, in languages with Latin letters."""

SENTENCES = {
    "English": (
        "The river had risen in the night and carried two boats as far as the mill.",
        "Every entry in this register was copied from an older book, which is now lost.",
        "She counted 48 crates, weighed them twice, and wrote 1,276 pounds in the margin.",
        "A clear label saves more time than a clever generator.",
        "When the lamp was moved to the left, the letters could be read again.",
        "Our grandfather kept his receipts in a tin box under the stairs for forty years.",
        "Please return the second copy, signed, before the end of March.",
        "The committee met on 17 May 1923 and agreed to repair the roof of the school.",
        "Salt, flour, lamp oil and thread were bought at the market on Thursday.",
        "No map shows the path, but the shepherds know it well.",
        "If a page is torn, lay it flat and do not press upon the edges.",
        "Nothing is heavier than wet paper, and nothing is more easily spoiled.",
        "The engine ran for six hours at 92 degrees without any loss of pressure.",
        "Quiet minds judge quickly; jealous ones explain for hours.",
    ),
    "German": (
        "Über den Dächern zog früh am Morgen ein dünner, grauer Rauch.",
        "Der Müller schloß die Bücher und zählte die Säcke ein zweites Mal.",
        "Größere Mengen liefern wir gegen einen Aufschlag von 3,50 Mark.",
        "Wer lesen will, braucht Licht, Ruhe und ein wenig Geduld.",
    ),
    "French": (
        "Le père avait gardé les lettres reçues pendant l'été dans une boîte à thé.",
        "Où étiez-vous à l'époque où la forêt brûlait derrière le château ?",
        "La première page manque, mais la dernière a été conservée.",
        "Ça ne coûte presque rien, dit-elle, et cela évite bien des ennuis.",
    ),
    "Spanish": (
        "El niño dejó el cuaderno abierto y la tinta se secó al sol de la mañana.",
        "¿Quién guardó los recibos del año pasado? Nadie contestó.",
        "La señora pagó 245 pesetas por el papel, según consta aquí.",
    ),
    "Portuguese": (
        "As três irmãs não sabiam onde ficava o antigo armazém de pão.",
        "A ligação com o porto só foi concluída depois das eleições.",
    ),
    "Polish": (
        "Późną jesienią łódź wciąż stała przy młynie, pełna zboża i węgla.",
        "Każdą stronę należy osuszyć, zanim się ją złoży.",
    ),
    "Czech": (
        "Žluté listy ležely na stole a nikdo je už dlouho nečetl.",
        "Příští úterý přijede účetní a přepíše celý rejstřík.",
    ),
    "Swedish": (
        "På ön växte några små björkar, och häggen blommade över vägen.",
        "Gör så här: lägg arket platt och vänta två dygn.",
    ),
    "Turkish": (
        "Küçük odanın ışığı gece yarısına kadar söndürülmüyordu.",
        "Çarşıdaki dükkân, ağustosta üç gün kapalıydı.",
    ),
    "Hungarian": (
        "Az őszi esők után a híd fölött sűrű köd ült meg.",
        "Kérjük, őrizze meg a nyugtát, és írja rá a dátumot.",
    ),
}
