-- depends_on: {{ source('warehouse', 'campaigns') }}
{{ read_data_file() }}
