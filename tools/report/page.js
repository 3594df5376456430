(function() {
'use strict';
var links = Array.from(document.querySelectorAll('.r-nav a'));
var heads = links.map(function(
    link) { return document.getElementById(link.getAttribute('href').slice(1)); });
function mark() {
  var at = 0;
  heads.forEach(function(head, i) {
    if (head.getBoundingClientRect().top < innerHeight / 3) {
      at = i;
    }
  });
  links.forEach(function(link, i) {
    if (i === at) {
      link.setAttribute('aria-current', 'true');
    } else {
      link.removeAttribute('aria-current');
    }
  });
}
addEventListener('scroll', mark, {passive: true});
addEventListener('resize', mark, {passive: true});
mark();
}());
