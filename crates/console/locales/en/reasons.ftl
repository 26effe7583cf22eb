# Reasons of refusals by their code. What has no message here is said in the words of the node.

reason-not-permitted = this is not permitted to your role or office
reason-not-found = there is no such thing, or it is not for your office to know
reason-no-token = a staff token is needed
reason-token-expired = the token has expired: ask your administrator for another
reason-token-not-yet-valid = the token is not valid yet
reason-token-not-valid = the node does not believe the token
reason-command-id-reused = this command id was used for another request
reason-overloaded = the node has too much to do: try again in a moment
reason-standby = another instance of the node writes: ask that one, or wait
reason-database-away = the database of the node is away: try again with the same command id
reason-vault-away = the vault of the node is away: try again with the same command id
reason-internal = the node made a mistake; it is in its log
reason-unavailable = the node cannot do it now: try again
reason-unimplemented = the node does not run this service
reason-consent-missing = the person has not agreed to this
reason-already-answered = it was answered already
reason-withdrawn = the offer was withdrawn
reason-directory-has-defects = the directory contradicts itself or the edition before
reason-not-above-this-office = your office is not above this one
