// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC721Enumerable} from "@openzeppelin/contracts/token/ERC721/extensions/IERC721Enumerable.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Serials} from "./Serials.sol";

/// @title CompactERC721Enumerable
/// @notice An enumerable ERC-721 that writes two new slots per token, and one more per owner and six tokens.
/// @dev Tokens are never burned. Each has a serial, its place in the order of creation; owners list serials, not ids.
abstract contract CompactERC721Enumerable is ERC721, IERC721Enumerable {
    using Serials for Serials.List;

    /// @dev `attributes` is free for the heirs: it survives transfers.
    struct Token {
        address owner;
        uint40 position;
        uint56 attributes;
    }

    /// @notice Thrown when `index` is past the end of the list of `owner` (zero: of all tokens).
    error ERC721OutOfBoundsIndex(address owner, uint256 index);

    /// @notice Thrown when there are as many tokens as a serial can tell apart.
    error RegistryIsFull(uint256 limit);

    mapping(uint256 tokenId => Token) internal _tokens;
    mapping(address owner => Serials.List) private _serials;
    uint256[] private _tokenIds;

    /// @inheritdoc IERC721Enumerable
    function totalSupply() public view returns (uint256) {
        return _tokenIds.length;
    }

    /// @inheritdoc IERC721Enumerable
    function tokenByIndex(uint256 index) public view returns (uint256) {
        require(index < _tokenIds.length, ERC721OutOfBoundsIndex(address(0), index));
        return _tokenIds[index];
    }

    /// @inheritdoc IERC721Enumerable
    function tokenOfOwnerByIndex(address owner, uint256 index) public view returns (uint256) {
        require(index < _serials[owner].length(), ERC721OutOfBoundsIndex(owner, index));
        return _tokenIds[_serials[owner].serialAt(index)];
    }

    /// @inheritdoc IERC721
    function balanceOf(address owner) public view override(ERC721, IERC721) returns (uint256) {
        require(owner != address(0), ERC721InvalidOwner(address(0)));
        return _serials[owner].length();
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC721, IERC165) returns (bool) {
        return interfaceId == type(IERC721Enumerable).interfaceId || super.supportsInterface(interfaceId);
    }

    function _ownerOf(uint256 tokenId) internal view override returns (address) {
        return _tokens[tokenId].owner;
    }

    /// @dev The base keeps owners and balances in slots of their own, which stay unused here.
    function _update(address to, uint256 tokenId, address auth) internal override returns (address from) {
        Token storage token = _tokens[tokenId];
        from = token.owner;
        if (auth != address(0)) _checkAuthorized(from, auth, tokenId);

        uint256 serial;
        if (from == address(0)) {
            serial = _tokenIds.length;
            require(serial <= Serials.MAX, RegistryIsFull(Serials.MAX));
            _tokenIds.push(tokenId);
        } else {
            _approve(address(0), tokenId, address(0), false);
            serial = _removeFrom(from, token.position);
        }

        // The length of a list never exceeds the number of serials, so a position fits as well.
        token.owner = to;
        token.position = uint40(_serials[to].push(serial));
        emit Transfer(from, to, tokenId);
    }

    function _removeFrom(address owner, uint256 position) private returns (uint256 serial) {
        uint256 moved;
        (serial, moved) = _serials[owner].remove(position);
        _tokens[_tokenIds[moved]].position = uint40(position);
    }
}
