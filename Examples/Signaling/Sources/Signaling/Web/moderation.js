/** Rooms with a password, and what their moderators do. */

const $ = (id) => document.getElementById(id);

/** Refusals after which another password may do. */
const asks = {
  password_required: "This room has a password.",
  wrong_password: "This is not the password. Try again.",
  too_many_guesses: "Too many wrong passwords. Wait half a minute, then try again.",
};

/** Enters a room, and asks for its password as often as it takes; rejects when the person gives up. */
export async function join(client, room, meta, isWanted) {
  let password = null;
  for (;;) {
    try {
      return await client.join(room, meta, password === null ? {} : { password });
    } catch (error) {
      if (!(error.code in asks) || !isWanted()) throw error;
      password = await ask(asks[error.code]);
      if (password === null || !isWanted()) throw error;
    }
  }
}

/** Asks for a password; null when the person does not know it. */
function ask(text) {
  const dialog = $("ask");
  $("ask-text").textContent = text;
  $("password").value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "enter" ? $("password").value : null);
  });
}

$("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  $("ask").close("enter");
});
$("ask-cancel").onclick = () => $("ask").close();

/** Calls `remove(peer)` when the moderator presses the button of a tile. */
export function onRemove(remove) {
  $("tiles").addEventListener("click", ({ target }) => {
    const button = target.closest(".remove");
    if (button) remove(button.closest(".tile").dataset.peer);
  });
}

/** Shows on the tiles of these peers the button that removes them, and on no other. */
export function showRemovable(names) {
  for (const tile of $("tiles").querySelectorAll(".tile[data-peer]")) {
    const name = names.get(tile.dataset.peer);
    const button = tile.querySelector(".remove");
    button.hidden = name === undefined;
    button.ariaLabel = `Remove ${name ?? ""} from the room`;
  }
}
