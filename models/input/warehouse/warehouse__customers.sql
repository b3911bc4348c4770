-- depends_on: {{ source('warehouse', 'customers') }}
{{ read_data_file() }}
