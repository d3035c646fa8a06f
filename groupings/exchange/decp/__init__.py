"""The essential data of public contracts (données essentielles de la commande publique, DECP): writing and reading.

Formats only: nothing here knows the database. Authority: arrêté du 22 décembre 2022; JSON schema 2.0.4, XSD 2.0.2.
"""
