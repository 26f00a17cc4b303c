"""Single sign-on by OpenID Connect: what the operator has set, and the protocol. Knows nothing of accounts.

Written on PyJWT instead of taken from django-allauth, whose OpenID Connect provider sends no nonce, does not
hold the issuer against the one that was set, and believes an ID token unseen if it came from the token
endpoint.
"""
