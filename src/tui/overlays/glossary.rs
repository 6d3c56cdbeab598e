//! Words that the screens use, explained for the help.

/// A word and its meaning.
pub const WORDS: [(&str, &str); 9] = [
    ("layer", "where in a network features are read: layer1 … layer4, embedding"),
    ("view", "what one figure shows: a map, a pair of axes, or one axis of a projection"),
    (
        "AUC",
        "of a balanced vote of nearest neighbours: .5 is chance, 1 keeps the classes apart; ± the longer arm of its 95 % interval",
    ),
    ("half A, half B", "people are parted in two: the best view is chosen on A, and what is quoted of it comes from B"),
    ("beside n cells", "a lower bound that holds for so many at once: those that half A chose or, of another cell, all"),
    ("separates", "that bound reaches the study's mark (separates_at)"),
    ("beyond chance", "fewer than one in twenty grids without signal have any such cell as good"),
    ("( )", "shown and not ranked: a class is too small, or the comparison is of a quantity"),
    ("people", "identities: pictures of one person are never parted; without identities each picture is its own"),
];
