#!/bin/sh
# The container's command: reads /workspace/inputs, writes /workspace/outputs.
exec python "$(dirname "$0")/predict.py" -i /workspace/inputs -o /workspace/outputs
