"""PSP: a mandate for the tuition fee. The fee is owed to the institution, so money never passes here (WHW 7.43(1))."""
