"""The rest of the world, played: eduID, DigiD, DUO, IND, Nuffic, a PSP and a portal. For demo and tests only.

Each application has its own port, its own folder and its own book; none knows the platform from the inside.
The people are in `people`, what goes wrong for whom in `steering`, the cards in `participants`, and `build`
puts it together from what `assembly` hands in. Where a partner publishes no machine interface (DUO, IND,
Nuffic, the PSP, DigiD's bridge), the interface is our invention and its room says so.
"""
