"""Why a backup or a restore did not happen."""


class BackupRefused(Exception):
    """What was asked for makes no sense or would destroy something; nothing was changed."""


class BackupFailed(Exception):
    """It was tried and did not work out; nothing was changed."""
