-- depends_on: {{ source('warehouse', 'order_lines') }}
{{ read_data_file() }}
