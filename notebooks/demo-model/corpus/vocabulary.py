"""Names and things that the generated documents speak of."""

NAMES = "Anna Ben Clara David Emma Felix Greta Hugo Ines Jonas Kim Lara Max Nora Omar Paula Rosa Sam Tom Vera".split()
THINGS = "apples books pencils stamps marbles tickets cards shells coins flowers eggs stickers bricks cups stones".split()
CITIES = "Berlin Paris Madrid London Hamburg Lyon Sevilla Bristol Wien Nantes Bilbao Leeds Zürich Lille Granada York".split()
