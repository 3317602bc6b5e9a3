"""A directory in a TOML file: who may log in, by argon2 hashes, what people are called, and who sees whom.

.. code-block:: toml

    [[people]]
    login = "alice"
    user = "alice"
    name = "Alice Martin"
    numbers = ["1001", "+33123450001"]
    password = "$argon2id$v=19$..."
    groups = ["sales"]

People without groups are seen by everybody, the others by those who share a group with them. Logins differ in
more than case. The file is read again when it has changed; while it cannot be read or used, what it said last
holds, and the next request tries again.
"""

from unique_account.adapters.people_file.directory import PeopleFile
from unique_account.adapters.people_file.passwords import LONGEST_PASSWORD, hash_password
from unique_account.adapters.people_file.people import Person

__all__ = ["LONGEST_PASSWORD", "PeopleFile", "Person", "hash_password"]
