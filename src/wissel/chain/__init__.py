"""The rest of the world, played: eduID, DigiD, DUO, IND, Nuffic, a PSP and a portal. For demo and tests only."""
