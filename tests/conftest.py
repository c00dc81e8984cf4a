"""What every test starts from: no mapping is remembered from before, or for after."""

import os
import tempfile

# Servers that tests start inherit it.
os.environ["HELPERS_FORMS"] = tempfile.mkdtemp(prefix="forms")
