"""Why the disk refused, in French: the system says it in the language of the machine, most often English."""

import errno

_REASONS = {
    errno.ENOENT: "il n’existe pas",
    errno.EACCES: "vous n’en avez pas le droit",
    errno.EPERM: "vous n’en avez pas le droit",
    errno.EROFS: "le disque est en lecture seule",
    errno.ENOSPC: "le disque est plein",
    errno.EISDIR: "c’est un dossier",
    errno.ENOTDIR: "un de ses dossiers est un fichier",
    errno.EEXIST: "un fichier porte déjà ce nom",
    errno.ENAMETOOLONG: "son nom est trop long",
    errno.ELOOP: "ce lien tourne en rond",
}


def why(error: OSError) -> str:
    """The end of a sentence about the file of ``error``, without its full stop: « il n’existe pas »."""
    return _REASONS.get(error.errno, f"le système répond «\u00a0{error.strerror or error}\u00a0»")
