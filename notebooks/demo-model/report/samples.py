"""Three beginnings of each domain; what the model makes of them goes into the card as it is. None ends with a space: tokens begin with theirs.
And sums, whose answers can be checked."""

from random import Random

PROMPTS = {
    "en": ("The file is", "To change the", "This function returns"),
    "de": ("Die Datei wird", "Um die Einstellungen zu", "Diese Funktion"),
    "fr": ("Le fichier est", "Pour modifier la", "Cette fonction renvoie"),
    "es": ("El archivo se", "Para cambiar la", "Esta función devuelve"),
    "java": ("    public static", "import java.util.", "/**\n * Returns"),
    "python": ("def test_", "import", "    def __init__(self"),
    "math": ("17 + 25 =", "Question: Anna has 12 apples. Ben gives Anna 7 more.", "Solve 3x + 4 = 19.\n"),
    "data": ("CREATE TABLE orders (", '{\n  "id":', "SELECT"),
}
TOKENS = 48
TEMPERATURE, TOP_K = 0.8, 40


def sums(count: int) -> dict[str, str]:
    """Two numbers below 100 to add, and what comes out."""
    r = Random(1)
    pairs = [(r.randrange(100), r.randrange(100)) for _ in range(count)]
    return {f"{a} + {b} =": str(a + b) for a, b in pairs}
