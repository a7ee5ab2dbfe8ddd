"""The jinja2 templates of the class report and of the students' feedback pages."""
